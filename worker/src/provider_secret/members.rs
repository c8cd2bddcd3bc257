use std::collections::BTreeMap;

use secrecy::SecretString;

/// A secret's members by name, and which version of it they are.
#[derive(Clone)]
pub struct SecretMembers {
    members: BTreeMap<String, SecretString>,
    version: String,
}

/// Why a text is not a secret of ours. It quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASecret {
    #[error("it has no text (SecretString); write its members as one JSON object")]
    NoText,
    #[error("it is not a JSON object of texts, such as {{\"TWILIO_AUTH_TOKEN\":\"…\"}}")]
    NotAnObjectOfTexts,
}

impl SecretMembers {
    /// Reads a JSON object of texts; `version` tells this state of the secret from others.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(json: &str, version: impl Into<String>) -> Result<Self, NotASecret> {
        // The reader's own errors may quote what they read.
        let members: BTreeMap<String, SecretString> =
            serde_json::from_str(json).map_err(|_| NotASecret::NotAnObjectOfTexts)?;
        Ok(Self { members, version: version.into() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&SecretString> {
        self.members.get(name)
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }
}

/// Without what it holds.
impl std::fmt::Debug for SecretMembers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretMembers").field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_a_json_object_of_texts() {
        let secret = SecretMembers::parse("{\"TOKEN\":\"hush\",\"SID\":\"AC1\"}", "v1").expect("a secret");
        assert_eq!(secret.get("TOKEN").map(|token| token.expose_secret()), Some("hush"));
        assert!(secret.get("token").is_none());
        for json in ["", "hush", "\"hush\"", "[\"hush\"]", "{\"TOKEN\":5}", "{\"TOKEN\":null}", "{\"TOKEN\":\"hush\""] {
            let fault = SecretMembers::parse(json, "v1").expect_err("refused").to_string();
            assert!(fault.starts_with("it is not a JSON object of texts") && !fault.contains("hush"), "{fault}");
        }
    }

    #[test]
    fn a_secret_does_not_show_what_it_holds() {
        let secret = SecretMembers::parse("{\"TOKEN\":\"hush\"}", "v1").expect("a secret");
        assert_eq!(format!("{secret:?}"), "SecretMembers { version: \"v1\", .. }");
    }
}
