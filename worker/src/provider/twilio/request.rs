//! The form that creates a message.

use form_urlencoded::Serializer;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::settings::Sender;
use crate::provider::Sms;

/// The longest validity that Twilio takes, in seconds; it recommends more than 5
/// (<https://www.twilio.com/docs/messaging/api/message-resource>, `ValidityPeriod`). The last seconds of a code are
/// sent as they are: rounding them up would deliver it dead.
const MAX_VALIDITY: u64 = 36_000;

/// Writes the form. It is zeroed when dropped; the copies that the HTTP library makes while sending are not ours.
///
/// No `SmartEncoded`: it replaces characters to save a segment, and what was rendered must arrive as it is (the line
/// that lets a phone fill the code in, for one).
pub(super) fn form(sms: &Sms<'_>, sender: &Sender, discard_content: bool) -> Zeroizing<String> {
    let text = sms.text.expose_secret();
    // Room for everything, escaped as %XX: a string that grows leaves copies behind.
    let mut form = Serializer::new(String::with_capacity(3 * text.len() + 512));
    form.append_pair("To", sms.to.expose());
    match sender {
        Sender::From(sender) => form.append_pair("From", sender),
        Sender::MessagingService(sid) => form.append_pair("MessagingServiceSid", sid),
    };
    form.append_pair("Body", text);
    form.append_pair("ValidityPeriod", &sms.valid_for.as_secs().clamp(1, MAX_VALIDITY).to_string());
    if discard_content {
        form.append_pair("ContentRetention", "discard");
        form.append_pair("AddressRetention", "obfuscate");
    }
    Zeroizing::new(form.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;
    use shared::{MessageId, PhoneNumber};
    use std::time::Duration;

    fn written(sender: &Sender, text: &str, valid_for: Duration, discard_content: bool) -> String {
        let to = PhoneNumber::parse("+12065550100").expect("a number");
        let text = SecretString::from(text);
        let id = MessageId::from_bytes(&[7; 16]);
        let sms = Sms { id: &id, to: &to, text: &text, valid_for, timeout: Duration::from_secs(1) };
        form(&sms, sender, discard_content).to_string()
    }

    #[test]
    fn the_form_holds_exactly_these_fields() {
        let number = Sender::From("+447700900123".to_owned());
        let valid_for = Duration::from_secs(170);
        assert_eq!(
            written(&number, "Your code is 123456.", valid_for, false),
            "To=%2B12065550100&From=%2B447700900123&Body=Your+code+is+123456.&ValidityPeriod=170"
        );
        let service = Sender::MessagingService("MG0123456789abcdef0123456789abcdef".to_owned());
        assert_eq!(
            written(&service, "Code: 1", valid_for, true),
            "To=%2B12065550100&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&Body=Code%3A+1\
             &ValidityPeriod=170&ContentRetention=discard&AddressRetention=obfuscate"
        );
        for (sender, from) in [
            (Sender::From("12345".to_owned()), "&From=12345&"),
            (Sender::From("A & B+1".to_owned()), "&From=A+%26+B%2B1&"),
        ] {
            assert!(written(&sender, "x", valid_for, false).contains(from), "{from}");
        }
    }

    #[test]
    fn validity_is_what_is_left_in_whole_seconds_within_twilios_bounds() {
        let sender = Sender::From("12345".to_owned());
        for (millis, seconds) in [
            (0, "1"),
            (999, "1"),
            (1_999, "1"),
            (5_000, "5"),
            (59_999, "59"),
            (36_000_000, "36000"),
            (u64::MAX, "36000"),
        ] {
            let form = written(&sender, "x", Duration::from_millis(millis), false);
            assert!(form.ends_with(&format!("&ValidityPeriod={seconds}")), "{form}");
        }
    }

    #[test]
    fn the_form_never_outgrows_its_first_allocation() {
        let sender = Sender::MessagingService("MG0123456789abcdef0123456789abcdef".to_owned());
        let text = "é\u{1F512}\n".repeat(200);
        let to = PhoneNumber::parse("+123456789012345").expect("a number");
        let secret = SecretString::from(text.as_str());
        let id = MessageId::from_bytes(&[7; 16]);
        let sms = Sms { id: &id, to: &to, text: &secret, valid_for: Duration::MAX, timeout: Duration::MAX };
        assert_eq!(form(&sms, &sender, true).capacity(), 3 * text.len() + 512);
    }
}
