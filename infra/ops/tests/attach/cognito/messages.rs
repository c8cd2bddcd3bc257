//! The messages by which addresses are verified: each is told, and may be set, by two names.

use serde_json::{Value, json};

use super::settings::{Messages, Refusal, Settings};

const TEMPLATE: &str = "VerificationMessageTemplate";
/// The older name of a member of the template.
const MIRRORED: [(&str, &str); 3] = [
    ("SmsVerificationMessage", "SmsMessage"),
    ("EmailVerificationMessage", "EmailMessage"),
    ("EmailVerificationSubject", "EmailSubject"),
];
const OF_EMAIL: [&str; 4] = ["EmailMessage", "EmailSubject", "EmailMessageByLink", "EmailSubjectByLink"];

/// The messages after a request, by both names.
///
/// # Errors
/// What does not fit together.
pub(super) fn settled(request: &Settings, how: Messages) -> Result<Settings, Refusal> {
    let mut settings = Settings::new();
    let mut template = request.get(TEMPLATE).and_then(Value::as_object).cloned().unwrap_or_default();
    if how == Messages::AsDocumented {
        fits_documentation(request, &template)?;
    }
    for (older, name) in MIRRORED {
        let value = match (request.get(older), template.get(name)) {
            (Some(one), Some(other)) if one != other => {
                return Err(Refusal::invalid(format!("{older} differs from {TEMPLATE}.{name}")));
            }
            (one, other) => one.or(other).cloned(),
        };
        if let Some(value) = value {
            template.insert(name.to_owned(), value.clone());
            settings.insert(older.to_owned(), value);
        }
    }
    template.entry("DefaultEmailOption").or_insert_with(|| json!("CONFIRM_WITH_CODE"));
    settings.insert(TEMPLATE.to_owned(), Value::Object(template));
    Ok(settings)
}

fn fits_documentation(request: &Settings, template: &Settings) -> Result<(), Refusal> {
    if template.contains_key("EmailMessage") && template.contains_key("EmailMessageByLink") {
        return Err(Refusal::invalid("Both EmailMessage and EmailMessageByLink cannot be provided"));
    }
    let sender = request.get("EmailConfiguration").map(|email| &email["EmailSendingAccount"]);
    let has_text = OF_EMAIL.iter().any(|name| template.contains_key(*name))
        || ["EmailVerificationMessage", "EmailVerificationSubject"].iter().any(|name| request.contains_key(*name));
    if has_text && sender.is_none_or(|sender| sender != "DEVELOPER") {
        return Err(Refusal::invalid("Cannot use custom email messages while EmailSendingAccount is COGNITO_DEFAULT"));
    }
    Ok(())
}
