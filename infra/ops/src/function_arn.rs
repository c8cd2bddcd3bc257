//! Lambda functions by their ARNs: as they are found, and as a user pool can have one.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Of an ARN in a user pool.
const LONGEST: usize = 2_048;
const LATEST: &str = "$LATEST";

/// `arn:aws:lambda:eu-west-1:123456789012:function:NAME`, perhaps with a qualifier: as it is found, also where no pool
/// could have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QualifiedArn {
    partition: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) qualifier: Qualifier,
}

/// Which version of a function is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Qualifier {
    None,
    Latest,
    /// A published version, which no deployment changes.
    Version(String),
    Alias(String),
}

/// The ARN of a function or of its alias: what a user pool can have as its trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionArn {
    arn: QualifiedArn,
    written: String,
}

/// Why a text is no function that a pool can have as its trigger, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FunctionArnError {
    #[error(
        "is not a function's ARN; give the whole ARN, such as arn:aws:lambda:eu-west-1:123456789012:function:producer \
         (aws lambda get-function-configuration --function-name NAME --query FunctionArn)"
    )]
    NotAnArn,
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
    #[error("is a version; Cognito takes a function or an alias: give the ARN of an alias that points to the version")]
    Version,
}

impl QualifiedArn {
    /// Reads an ARN; none if it is no function's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split(':').collect();
        let (parts, qualifier) = match parts.as_slice() {
            [head @ .., qualifier] if head.len() == 7 => (head, Some(*qualifier)),
            parts => (parts, None),
        };
        let ["arn", partition, "lambda", region, account, "function", name] = parts else { return None };
        let is_word = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let unqualified = [partition, region, account, name].into_iter().all(is_word);
        if text.len() > LONGEST
            || !is_account
            || !unqualified
            || qualifier.is_some_and(|it| it != LATEST && !is_word(&it))
        {
            return None;
        }
        let [partition, region, account, name] = [partition, region, account, name].map(|part| (*part).to_owned());
        Some(Self { partition, region, account, name, qualifier: Qualifier::of(qualifier) })
    }

    pub(crate) fn unqualified(&self) -> Self {
        Self { qualifier: Qualifier::None, ..self.clone() }
    }

    /// Whatever their qualifiers are.
    pub(crate) fn is_same_function(&self, other: &Self) -> bool {
        self.unqualified() == other.unqualified()
    }

    /// An ARN of another service in the same partition and Region, which ends with account and resource.
    pub(crate) fn of_other_service(&self, service: &str, end: &str) -> String {
        format!("arn:{}:{service}:{}:{end}", self.partition, self.region)
    }

    /// `?Qualifier=…` in a path of Lambda's API.
    pub(crate) fn query(&self) -> String {
        match self.qualifier.as_str() {
            Some(qualifier) => format!("?Qualifier={}", utf8_percent_encode(qualifier, NON_ALPHANUMERIC)),
            None => String::new(),
        }
    }

    /// `--function-name …` of the AWS CLI, with `--qualifier` where it is needed.
    pub(crate) fn options(&self) -> Vec<&str> {
        let mut options = vec!["--function-name", &self.name];
        if let Some(qualifier) = self.qualifier.as_str() {
            options.extend(["--qualifier", qualifier]);
        }
        options
    }
}

impl std::fmt::Display for QualifiedArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, region, account, name, qualifier } = self;
        write!(f, "arn:{partition}:lambda:{region}:{account}:function:{name}")?;
        qualifier.as_str().map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

impl Qualifier {
    fn of(text: Option<&str>) -> Self {
        match text {
            None => Self::None,
            Some(LATEST) => Self::Latest,
            Some(version) if version.bytes().all(|byte| byte.is_ascii_digit()) => Self::Version(version.to_owned()),
            Some(alias) => Self::Alias(alias.to_owned()),
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Latest => Some(LATEST),
            Self::Version(name) | Self::Alias(name) => Some(name),
        }
    }
}

impl FunctionArn {
    /// Reads the ARN of a function or an alias.
    ///
    /// # Errors
    /// When the text is anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, FunctionArnError> {
        let arn = QualifiedArn::parse(text).ok_or(FunctionArnError::NotAnArn)?;
        match arn.qualifier {
            Qualifier::None | Qualifier::Alias(_) => Ok(Self { arn, written: text.to_owned() }),
            Qualifier::Latest | Qualifier::Version(_) => Err(FunctionArnError::Version),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    pub(crate) fn as_found(&self) -> &QualifiedArn {
        &self.arn
    }
}

impl std::fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:producer";

    #[test]
    fn functions_and_aliases_are_read() {
        let function = FunctionArn::parse(FUNCTION).expect("a function");
        let QualifiedArn { name, region, qualifier, .. } = function.as_found();
        assert_eq!((name.as_str(), region.as_str(), qualifier), ("producer", "eu-west-1", &Qualifier::None));
        let alias = FunctionArn::parse(&format!("{FUNCTION}:live_2")).expect("an alias");
        assert_eq!(alias.as_found().qualifier, Qualifier::Alias("live_2".to_owned()));
        for arn in [&function, &alias] {
            assert_eq!(arn.as_found().unqualified().to_string(), FUNCTION);
        }
        assert_eq!(alias.as_str(), format!("{FUNCTION}:live_2"));
    }

    #[test]
    fn what_a_pool_cannot_have_is_told_the_remedy() {
        for version in ["7", "$LATEST"] {
            assert_eq!(FunctionArn::parse(&format!("{FUNCTION}:{version}")), Err(FunctionArnError::Version));
        }
        for text in [
            "",
            "producer",
            "arn:aws:lambda:eu-west-1:1234:function:producer",
            "arn:aws:lambda:eu-west-1:123456789012:layer:producer",
            "arn:aws:lambda:eu-west-1:123456789012:function:",
            "arn:aws:lambda:eu-west-1:123456789012:function:a/b",
            "arn:aws:lambda:eu-west-1:123456789012:function:a:b:c",
            "arn:aws:sqs:eu-west-1:123456789012:queue",
        ] {
            assert_eq!(FunctionArn::parse(text), Err(FunctionArnError::NotAnArn), "{text}");
        }
    }
}
