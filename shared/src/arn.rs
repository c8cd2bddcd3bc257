/// The ARN of a KMS key: `arn:aws:kms:eu-west-1:123456789012:key/…`.
///
/// Encryption SDK messages name the key ARN that wrapped their data key, so an alias or a bare key id could
/// never be matched with a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyArn(String);

/// Why a text is not a key ARN, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyArnError {
    #[error(
        "is an alias; give the ARN of the key itself (aws kms describe-key --key-id ALIAS --query KeyMetadata.Arn)"
    )]
    Alias,
    #[error("is not a key ARN; give the whole ARN, such as arn:aws:kms:eu-west-1:123456789012:key/KEY-ID")]
    NotAnArn,
}

impl KeyArn {
    /// Reads a key ARN.
    ///
    /// # Errors
    /// When the text is an alias, a bare key id or anything else.
    pub fn parse(text: &str) -> Result<Self, KeyArnError> {
        if text.starts_with("alias/") || text.contains(":alias/") {
            return Err(KeyArnError::Alias);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else {
            return Err(KeyArnError::NotAnArn);
        };
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let key = resource.strip_prefix("key/").ok_or(KeyArnError::NotAnArn)?;
        let sound = is_word(partition)
            && is_word(region)
            && is_word(key)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit());
        if sound { Ok(Self(text.to_owned())) } else { Err(KeyArnError::NotAnArn) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_arn_is_read() {
        let arn = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0123456789abcdef";
        assert_eq!(KeyArn::parse(arn).map(|arn| arn.to_string()), Ok(arn.to_owned()));
    }

    #[test]
    fn aliases_and_bare_ids_are_refused_with_the_remedy() {
        for alias in ["alias/sealpost", "arn:aws:kms:eu-west-1:123456789012:alias/sealpost"] {
            assert_eq!(KeyArn::parse(alias), Err(KeyArnError::Alias));
        }
        for text in [
            "",
            "8a23102c-9b68-4fed-82ce-523c5363539e",
            "arn:aws:kms:eu-west-1:1234:key/x",
            "arn:aws:sqs:eu-west-1:123456789012:key/x",
            "arn:aws:kms:eu-west-1:123456789012:key/",
        ] {
            assert_eq!(KeyArn::parse(text), Err(KeyArnError::NotAnArn), "{text}");
        }
    }
}
