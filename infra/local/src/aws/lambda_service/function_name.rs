//! The names by which Invoke takes a function.

/// A function's name, as far as the request says where and which version it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FunctionName<'t> {
    pub(super) region: Option<&'t str>,
    pub(super) account: Option<&'t str>,
    pub(super) name: &'t str,
    pub(super) qualifier: Option<&'t str>,
}

impl<'t> FunctionName<'t> {
    /// Reads `producer`, `123456789012:function:producer` or `arn:aws:lambda:eu-west-1:123456789012:function:producer`,
    /// each with or without a qualifier such as `:$LATEST`
    /// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestSyntax>).
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, name, qualifier) = match parts.as_slice() {
            [name] => (None, None, name, None),
            [name, qualifier] => (None, None, name, Some(qualifier)),
            [account, "function", name] => (None, Some(account), name, None),
            [account, "function", name, qualifier] => (None, Some(account), name, Some(qualifier)),
            ["arn", "aws", "lambda", region, account, "function", name] => (Some(region), Some(account), name, None),
            ["arn", "aws", "lambda", region, account, "function", name, qualifier] => {
                (Some(region), Some(account), name, Some(qualifier))
            }
            _ => return None,
        };
        let sound = is_word(name)
            && region.is_none_or(|region| is_word(region))
            && account.is_none_or(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
            && qualifier.is_none_or(|qualifier| *qualifier == "$LATEST" || is_word(qualifier));
        sound.then_some(Self {
            region: region.copied(),
            account: account.copied(),
            name,
            qualifier: qualifier.copied(),
        })
    }
}

fn is_word(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&text.len()) && text.bytes().all(is_of_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_partial_arn_and_an_arn_are_read_with_and_without_qualifier() {
        for (text, region, account, qualifier) in [
            ("producer", None, None, None),
            ("producer:$LATEST", None, None, Some("$LATEST")),
            ("123456789012:function:producer", None, Some("123456789012"), None),
            ("123456789012:function:producer:live", None, Some("123456789012"), Some("live")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:producer", Some("eu-west-1"), Some("123456789012"), None),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function:producer:7",
                Some("eu-west-1"),
                Some("123456789012"),
                Some("7"),
            ),
        ] {
            assert_eq!(FunctionName::parse(text), Some(FunctionName { region, account, name: "producer", qualifier }));
        }
    }

    #[test]
    fn other_texts_are_no_function_name() {
        for text in [
            "",
            ":",
            "pro ducer",
            "producer:",
            "producer:$OLDEST",
            "1234:function:producer",
            "arn:aws:sqs:eu-west-1:123456789012:producer",
            "arn:aws:lambda::123456789012:function:producer",
            &"a".repeat(129),
        ] {
            assert_eq!(FunctionName::parse(text), None, "{text}");
        }
    }
}
