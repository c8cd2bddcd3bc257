/// Why Cognito wants an SMS sent: the part of `triggerSource` after `CustomSMSSender_`
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TriggerSource {
    SignUp,
    ResendCode,
    ForgotPassword,
    UpdateUserAttribute,
    VerifyUserAttribute,
    Authentication,
    AdminCreateUser,
    AccountTakeOverNotification,
    /// A source that AWS added later: it gets the generic text, and its name is kept in the event only.
    Other,
}

const PREFIX: &str = "customsmssender_";

impl TriggerSource {
    /// Every source, the unknown one last.
    pub const ALL: [Self; 9] = [
        Self::SignUp,
        Self::ResendCode,
        Self::ForgotPassword,
        Self::UpdateUserAttribute,
        Self::VerifyUserAttribute,
        Self::Authentication,
        Self::AdminCreateUser,
        Self::AccountTakeOverNotification,
        Self::Other,
    ];

    /// Reads `CustomSMSSender_SignUp` in any letter case (AWS's own tables disagree); none for the sources of
    /// other triggers.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let name = text.strip_prefix(PREFIX)?;
        let known = Self::ALL.into_iter().find(|source| name == source.as_str().to_ascii_lowercase());
        Some(known.unwrap_or(Self::Other))
    }

    /// The source's name in logs, metrics and queue attributes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "SignUp",
            Self::ResendCode => "ResendCode",
            Self::ForgotPassword => "ForgotPassword",
            Self::UpdateUserAttribute => "UpdateUserAttribute",
            Self::VerifyUserAttribute => "VerifyUserAttribute",
            Self::Authentication => "Authentication",
            Self::AdminCreateUser => "AdminCreateUser",
            Self::AccountTakeOverNotification => "AccountTakeOverNotification",
            Self::Other => "Other",
        }
    }

    /// Whether a message of this source makes sense only with a code.
    pub fn needs_code(self) -> bool {
        match self {
            Self::SignUp
            | Self::ResendCode
            | Self::ForgotPassword
            | Self::UpdateUserAttribute
            | Self::VerifyUserAttribute
            | Self::Authentication
            | Self::Other => true,
            // Without a password it is an invitation: passwordless pools create users that way.
            Self::AdminCreateUser | Self::AccountTakeOverNotification => false,
        }
    }
}

impl std::fmt::Display for TriggerSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_read_in_any_letter_case() {
        for source in TriggerSource::ALL {
            for text in [format!("CustomSMSSender_{source}"), format!("CustomSmsSender_{source}")] {
                assert_eq!(TriggerSource::parse(&text), Some(source));
                assert_eq!(TriggerSource::parse(&text.to_uppercase()), Some(source));
            }
        }
    }

    #[test]
    fn a_new_source_of_this_trigger_is_other_and_the_rest_is_none() {
        assert_eq!(TriggerSource::parse("CustomSMSSender_PasskeyAdded"), Some(TriggerSource::Other));
        for text in ["", "SignUp", "CustomEmailSender_SignUp", "PreSignUp_SignUp", "CustomSMSSender"] {
            assert_eq!(TriggerSource::parse(text), None, "{text}");
        }
    }
}
