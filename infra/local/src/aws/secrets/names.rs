//! How secrets are named: by name, by ARN, or by an ARN that lacks its random suffix.

use super::error::{SecretsError, check_length};

const SUFFIX_CHARACTERS: usize = 6;

/// What a request names a secret by.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SecretId<'a> {
    pub(super) name: &'a str,
    /// Of a complete ARN. A secret with another suffix is another secret, even if its name is the same.
    pub(super) suffix: Option<&'a str>,
}

impl<'a> SecretId<'a> {
    /// Reads a name or an ARN that starts with `arn_prefix`. Other ARNs name nothing here.
    ///
    /// An ARN that ends with a hyphen and six characters is a complete one, so a secret whose own name ends so is not
    /// found by its ARN without the suffix. On AWS likewise.
    pub(super) fn parse(id: &'a str, arn_prefix: &str) -> Result<Self, SecretsError> {
        check_length("SecretId", id, 1..=2048)?;
        if !id.starts_with("arn:") {
            check_name(id)?;
            return Ok(Self { name: id, suffix: None });
        }
        let resource = id.strip_prefix(arn_prefix).ok_or(SecretsError::NotFound)?;
        check_name(resource)?;
        let complete = resource.rsplit_once('-').filter(|(_, suffix)| {
            suffix.len() == SUFFIX_CHARACTERS && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        Ok(match complete {
            Some((name, suffix)) => Self { name, suffix: Some(suffix) },
            None => Self { name: resource, suffix: None },
        })
    }
}

/// ASCII letters and digits, and some others.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>
///
/// The `!` is in the names that AWS's own services give.
pub(super) fn check_name(name: &str) -> Result<(), SecretsError> {
    // With the suffix of an ARN.
    check_length("Name", name, 1..=512 + 1 + SUFFIX_CHARACTERS)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&byte);
    if name.bytes().all(plain) {
        return Ok(());
    }
    let reason =
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    Err(SecretsError::Validation { reason: reason.to_owned() })
}

/// Six letters and digits. The same generator gives the same.
pub(super) fn suffix(ids: &mut fastrand::Rng) -> String {
    (0..SUFFIX_CHARACTERS).map(|_| ids.alphanumeric()).collect()
}

/// A version id in the form of a version 4 UUID. The same generator gives the same.
pub(super) fn version_id(ids: &mut fastrand::Rng) -> String {
    let (high, low) = (ids.u64(..), ids.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";

    #[test]
    fn a_secret_is_named_by_name_by_arn_and_by_arn_without_suffix() {
        for (id, name, suffix) in [
            ("twilio".to_owned(), "twilio", None),
            ("prod/twilio-a1B2c3".to_owned(), "prod/twilio-a1B2c3", None),
            (format!("{PREFIX}prod/twilio-a1B2c3"), "prod/twilio", Some("a1B2c3")),
            (format!("{PREFIX}prod/twilio"), "prod/twilio", None),
            (format!("{PREFIX}auth-token"), "auth-token", None),
            (format!("{PREFIX}a-b-a1B2c3"), "a-b", Some("a1B2c3")),
            (format!("{PREFIX}a-a1B2c_"), "a-a1B2c_", None),
        ] {
            assert_eq!(SecretId::parse(&id, PREFIX), Ok(SecretId { name, suffix }), "{id}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_and_an_arn_from_elsewhere_names_nothing() {
        for id in ["", "a b", "a:b", "é", "\0", PREFIX, &format!("{PREFIX}a b"), &"x".repeat(520), &"x".repeat(3000)] {
            assert_eq!(SecretId::parse(id, PREFIX).unwrap_err().code(), "ValidationException", "{id}");
        }
        for id in ["arn:", "arn:aws:secretsmanager:us-east-1:123456789012:secret:twilio-a1B2c3"] {
            assert_eq!(SecretId::parse(id, PREFIX), Err(SecretsError::NotFound), "{id}");
        }
    }

    #[test]
    fn ids_depend_on_the_seed_alone() {
        let draw = |seed| {
            let mut ids = fastrand::Rng::with_seed(seed);
            (suffix(&mut ids), version_id(&mut ids))
        };
        let (suffix, id) = draw(1);
        assert_eq!((suffix.len(), id.len(), &id[14..15]), (6, 36, "4"));
        assert_eq!(draw(1), (suffix, id));
        assert_ne!(draw(1), draw(2));
    }
}
