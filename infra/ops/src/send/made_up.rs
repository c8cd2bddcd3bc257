//! The message that is made up: everything that Cognito would know of it.

use fastrand::Rng;
use serde_json::{Value, json};
use shared::{PhoneNumber, SealedCode, TriggerSource, UserPoolId};

/// Without those that look like another one.
const LETTERS_AND_DIGITS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A message to a user that there is not.
pub(super) struct MadeUp {
    source: TriggerSource,
    to: PhoneNumber,
    /// A user of its own, so that it neither supersedes a code nor is superseded.
    sub: String,
    /// The only code that may ever be shown: it was made up just now, and opens nothing.
    code: Option<String>,
}

impl MadeUp {
    pub(super) fn new(source: TriggerSource, to: PhoneNumber, random: &mut Rng) -> Self {
        let code = match source {
            TriggerSource::AccountTakeOverNotification => None,
            TriggerSource::AdminCreateUser => Some(password(random)),
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Authentication
            | TriggerSource::Other => Some(format!("{:06}", random.u32(..1_000_000))),
        };
        let sub = format!("{:032x}", random.u128(..));
        let sub = [&sub[..8], &sub[8..12], &sub[12..16], &sub[16..20], &sub[20..]].join("-");
        Self { source, to, sub, code }
    }

    /// What the phone must show.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The code as Cognito seals it: passwords are escaped as HTML
    /// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
    pub(super) fn to_be_sealed(&self) -> Option<String> {
        let escaped = |code: &String| code.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.code.as_ref().map(escaped)
    }

    pub(super) fn to(&self) -> &PhoneNumber {
        &self.to
    }

    /// The event that Cognito would send, with this sealed code.
    pub(super) fn event(&self, pool: &UserPoolId, sealed: Option<&str>) -> Value {
        let mut event = local::cognito::event(pool, self.source, self.to.expose(), sealed);
        event["request"]["userAttributes"]["sub"] = json!(self.sub);
        event
    }
}

/// A sealed code as the event carries it, and as everybody may read it.
pub(super) struct Sealed {
    pub(super) text: String,
    pub(super) code: SealedCode,
}

/// With what HTML escapes, since that is what goes wrong.
fn password(random: &mut Rng) -> String {
    let mut characters: Vec<_> =
        (0..10).map(|_| LETTERS_AND_DIGITS[random.usize(..LETTERS_AND_DIGITS.len())]).collect();
    characters.extend(*b"<&");
    random.shuffle(&mut characters);
    characters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up(source: TriggerSource) -> MadeUp {
        MadeUp::new(source, PhoneNumber::parse("+12065550100").expect("a number"), &mut Rng::with_seed(7))
    }

    #[test]
    fn each_source_has_the_code_that_cognito_would_send() {
        for source in TriggerSource::ALL {
            let made_up = made_up(source);
            let (code, sealed) = (made_up.code(), made_up.to_be_sealed());
            match source {
                TriggerSource::AccountTakeOverNotification => assert_eq!((code, sealed), (None, None)),
                TriggerSource::AdminCreateUser => {
                    let (code, sealed) = (code.expect("a password"), sealed.expect("a password"));
                    assert!(code.len() == 12 && code.contains('<') && code.contains('&'), "{code}");
                    assert!(!sealed.contains('<') && sealed.contains("&lt;") && sealed.contains("&amp;"), "{sealed}");
                }
                TriggerSource::SignUp
                | TriggerSource::ResendCode
                | TriggerSource::ForgotPassword
                | TriggerSource::UpdateUserAttribute
                | TriggerSource::VerifyUserAttribute
                | TriggerSource::Authentication
                | TriggerSource::Other => {
                    let code = code.expect("a code");
                    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
                    assert_eq!(sealed.as_deref(), Some(code));
                }
            }
        }
    }

    #[test]
    fn each_message_is_to_a_user_of_its_own() {
        let pool = UserPoolId::parse("eu-west-1_EXAMPLE01").expect("a pool");
        let mut random = Rng::with_seed(7);
        let mut sub = || {
            let to = PhoneNumber::parse("+12065550100").expect("a number");
            let event = MadeUp::new(TriggerSource::AccountTakeOverNotification, to, &mut random).event(&pool, None);
            shared::CognitoEvent::from_value(event).expect("sound").attribute("sub").expect("a user").to_owned()
        };
        let (first, second) = (sub(), sub());
        assert!(first.len() == 36 && first != second, "{first} {second}");
    }
}
