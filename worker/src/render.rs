//! From a clear code to the text of an SMS. Templates and languages grow behind [`render`] alone.

use secrecy::{ExposeSecret as _, SecretString};
use shared::{CognitoEvent, TriggerSource};
use zeroize::Zeroizing;

/// `[texts]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The name that users know, "Example" in "Your Example code is …".
    pub brand: Option<String>,
}

/// Why there is no text. It never quotes the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("the decrypted code is empty")]
    EmptyCode,
}

/// The text for an event. `clear` is the decrypted code; AdminCreateUser's temporary password comes
/// HTML-escaped and is unescaped once, as AWS asks
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sms-sender.html>).
///
/// # Errors
/// When the code is empty.
pub fn render(event: &CognitoEvent, clear: Option<&SecretString>, texts: &Texts) -> Result<SecretString, RenderError> {
    let code = clear.map(|clear| clear.expose_secret());
    if code == Some("") {
        return Err(RenderError::EmptyCode);
    }
    let brand = texts.brand.as_ref().map(|brand| format!("{brand} ")).unwrap_or_default();
    let text = Zeroizing::new(match (event.trigger_source(), code) {
        (TriggerSource::AdminCreateUser, Some(password)) => {
            let password = html_unescaped(password);
            format!("Your {brand}account is ready. Your temporary password is {}", password.as_str())
        }
        (TriggerSource::AccountTakeOverNotification, _) => take_over_notice(event, &brand),
        (source, Some(code)) => format!("Your {brand}{}code is {code}. Do not share it.", purpose(source)),
        (_, None) => format!("Your {brand}account is ready. Sign in with this phone number."),
    });
    Ok(SecretString::from(text.as_str()))
}

/// What the code is for, with a space behind it.
fn purpose(source: TriggerSource) -> &'static str {
    match source {
        TriggerSource::SignUp | TriggerSource::ResendCode => "sign-up ",
        TriggerSource::ForgotPassword => "password reset ",
        TriggerSource::UpdateUserAttribute | TriggerSource::VerifyUserAttribute => "verification ",
        TriggerSource::Authentication => "sign-in ",
        TriggerSource::AdminCreateUser | TriggerSource::AccountTakeOverNotification | TriggerSource::Other => "",
    }
}

fn take_over_notice(event: &CognitoEvent, brand: &str) -> String {
    let detail =
        |name, before| event.attribute(name).filter(|text| is_harmless(text)).map(|text| format!("{before}{text}"));
    let details: String = [detail("DEVICE_NAME", " from "), detail("CITY", " in "), detail("LOGIN_TIME", " on ")]
        .into_iter()
        .flatten()
        .collect();
    format!("Unusual sign-in to your {brand}account{details}. If this was not you, change your password.")
}

/// The device's name and the city are chosen by whoever signs in: no link and no long text may be smuggled
/// into our SMS through them.
fn is_harmless(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ',' | ':' | '-' | '(' | ')');
    (1..=40).contains(&text.chars().count()) && text.chars().all(allowed)
}

/// Undoes one level of HTML escaping, and one only: a password may itself look like an entity.
fn html_unescaped(escaped: &str) -> Zeroizing<String> {
    const ENTITIES: [(&str, char); 5] =
        [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&#39;", '\'')];
    let mut clear = Zeroizing::new(String::with_capacity(escaped.len()));
    let mut rest = escaped;
    while let Some(first) = rest.chars().next() {
        let entity = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (taken, character) = entity.map_or((first.len_utf8(), first), |(entity, c)| (entity.len(), *c));
        clear.push(character);
        rest = &rest[taken..];
    }
    clear
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event(source: &str, attributes: serde_json::Value) -> CognitoEvent {
        let mut attributes = attributes;
        attributes["phone_number"] = json!("+12065550100");
        let code = include_str!("fixtures/sealed_code.txt").trim();
        CognitoEvent::from_value(json!({
            "triggerSource": format!("CustomSMSSender_{source}"),
            "userPoolId": "eu-west-1_EXAMPLE01",
            "request": { "type": "customSMSSenderRequestV1", "code": code, "userAttributes": attributes }
        }))
        .expect("sound")
    }

    fn text(source: &str, code: Option<&str>) -> String {
        let texts = Texts { brand: Some("Example".to_owned()) };
        let clear = code.map(SecretString::from);
        render(&event(source, json!({})), clear.as_ref(), &texts).expect("renders").expose_secret().to_owned()
    }

    #[test]
    fn every_trigger_source_has_its_text() {
        for (source, expected) in [
            ("SignUp", "Your Example sign-up code is 123456. Do not share it."),
            ("ResendCode", "Your Example sign-up code is 123456. Do not share it."),
            ("ForgotPassword", "Your Example password reset code is 123456. Do not share it."),
            ("UpdateUserAttribute", "Your Example verification code is 123456. Do not share it."),
            ("VerifyUserAttribute", "Your Example verification code is 123456. Do not share it."),
            ("Authentication", "Your Example sign-in code is 123456. Do not share it."),
            ("AdminCreateUser", "Your Example account is ready. Your temporary password is 123456"),
            ("SomethingNew", "Your Example code is 123456. Do not share it."),
        ] {
            assert_eq!(text(source, Some("123456")), expected);
        }
        assert_eq!(text("AdminCreateUser", None), "Your Example account is ready. Sign in with this phone number.");
    }

    #[test]
    fn a_temporary_password_is_unescaped_once_and_a_code_never() {
        assert!(text("AdminCreateUser", Some("a&lt;b&amp;gt;&#39;&quot;&x")).ends_with(" a<b&gt;'\"&x"));
        assert!(text("SignUp", Some("&lt;")).contains("code is &lt;."));
    }

    #[test]
    fn a_take_over_notice_names_only_harmless_details() {
        let details = json!({"DEVICE_NAME": "Pixel 9", "CITY": "visit evil.example/x", "LOGIN_TIME": "Friday, March 19, 2021 02:25 PM UTC"});
        let event = event("AccountTakeOverNotification", details);
        let text = render(&event, None, &Texts::default()).expect("renders");
        assert_eq!(
            text.expose_secret(),
            "Unusual sign-in to your account from Pixel 9 on Friday, March 19, 2021 02:25 PM UTC. \
             If this was not you, change your password."
        );
    }

    #[test]
    fn an_empty_code_is_refused() {
        let outcome = render(&event("SignUp", json!({})), Some(&SecretString::from("")), &Texts::default());
        assert_eq!(outcome.map(|_| ()), Err(RenderError::EmptyCode));
    }

    proptest! {
        #[test]
        fn unescaping_undoes_escaping(password in "\\PC{0,64}") {
            let escaped = password.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
                .replace('"', "&quot;").replace('\'', "&#39;");
            let unescaped = html_unescaped(&escaped);
            prop_assert_eq!(unescaped.as_str(), password.as_str());
        }
    }
}
