//! The Lambda function that a user pool invokes.

/// The ARN of a function or of its alias, `arn:aws:lambda:eu-west-1:123456789012:function:NAME[:ALIAS]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionArn {
    arn: String,
    region: String,
    account: String,
    name: String,
    alias: Option<String>,
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

impl FunctionArn {
    /// Reads the ARN of a function or an alias.
    ///
    /// # Errors
    /// When the text is anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, FunctionArnError> {
        let parts: Vec<&str> = text.split(':').collect();
        let (["arn", partition, "lambda", region, account, "function", name], alias) = (match parts.as_slice() {
            [head @ .., alias] if parts.len() == 8 => (head, Some(*alias)),
            head => (head, None),
        }) else {
            return Err(FunctionArnError::NotAnArn);
        };
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let words = [*partition, *region, *name].into_iter().chain(alias);
        if text.len() > 2_048 || !is_account || !words.into_iter().all(is_word) {
            return Err(FunctionArnError::NotAnArn);
        }
        if alias.is_some_and(|alias| alias.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(FunctionArnError::Version);
        }
        Ok(Self {
            arn: text.to_owned(),
            region: (*region).to_owned(),
            account: (*account).to_owned(),
            name: (*name).to_owned(),
            alias: alias.map(str::to_owned),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.arn
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// What Lambda's calls name it by in their paths: the ARN without its alias.
    pub(crate) fn unqualified(&self) -> String {
        let alias = self.alias.as_ref().map_or(0, |alias| alias.len() + 1);
        self.arn[..self.arn.len() - alias].to_owned()
    }
}

impl std::fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:producer";

    #[test]
    fn functions_and_aliases_are_read() {
        let function = FunctionArn::parse(FUNCTION).expect("a function");
        assert_eq!((function.name(), function.alias(), function.region()), ("producer", None, "eu-west-1"));
        let alias = FunctionArn::parse(&format!("{FUNCTION}:live_2")).expect("an alias");
        assert_eq!((alias.name(), alias.alias()), ("producer", Some("live_2")));
        assert_eq!(alias.unqualified(), FUNCTION);
        assert_eq!(function.unqualified(), FUNCTION);
    }

    #[test]
    fn what_a_pool_cannot_have_is_told_the_remedy() {
        assert_eq!(FunctionArn::parse(&format!("{FUNCTION}:7")), Err(FunctionArnError::Version));
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
