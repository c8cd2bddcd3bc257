/// A number of E.164 shape: a plus sign and 7 to 15 digits, the first not zero
/// (ITU-T E.164, section 6: at most 15 digits).
///
/// Whether the number exists, and where, is the worker's question. `Display` and `Debug` show the calling
/// code and the last two digits only; [`PhoneNumber::expose`] gives the whole number.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

/// Why a text is not a phone number. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    #[error("does not begin with '+'")]
    NoPlus,
    #[error("holds something other than digits after the '+'")]
    NotDigits,
    #[error("begins with a zero after the '+'")]
    LeadingZero,
    #[error("does not have 7 to 15 digits")]
    Length,
}

impl PhoneNumber {
    /// Reads `+` and 7 to 15 digits.
    ///
    /// # Errors
    /// When the text has any other shape.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let digits = text.strip_prefix('+').ok_or(PhoneNumberError::NoPlus)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneNumberError::NotDigits);
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::LeadingZero);
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(PhoneNumberError::Length);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole number, plus sign included. For the provider's request and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The country calling code, 1 to 3 digits (ITU-T E.164, Annex D).
    pub fn calling_code(&self) -> &str {
        let digits = &self.0[1..];
        let length = match &digits.as_bytes()[..2] {
            [b'1' | b'7', _] => 1,
            [b'2', b'0' | b'7']
            | [b'3', b'0'..=b'4' | b'6' | b'9']
            | [b'4', b'0' | b'1' | b'3'..=b'9']
            | [b'5', b'1'..=b'8']
            | [b'6', b'0'..=b'6']
            | [b'8', b'1' | b'2' | b'4' | b'6']
            | [b'9', b'0'..=b'5' | b'8'] => 2,
            _ => 3,
        };
        &digits[..length]
    }
}

impl std::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let last_two = &self.0[self.0.len() - 2..];
        write!(f, "+{}…{last_two}", self.calling_code())
    }
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_calling_code_and_two_digits_are_shown() {
        for (number, shown) in [
            ("+12065550100", "+1…00"),
            ("+447700900123", "+44…23"),
            ("+35312345678", "+353…78"),
            ("+79161234567", "+7…67"),
            ("+2904567", "+290…67"),
        ] {
            let number = PhoneNumber::parse(number).expect("valid");
            assert_eq!(number.to_string(), shown);
            assert_eq!(format!("{number:?}"), format!("PhoneNumber({shown})"));
        }
    }

    #[test]
    fn other_shapes_are_refused_with_their_fault() {
        for (text, fault) in [
            ("", PhoneNumberError::NoPlus),
            ("12065550100", PhoneNumberError::NoPlus),
            ("+1 206 555 0100", PhoneNumberError::NotDigits),
            ("+1206555010٣", PhoneNumberError::NotDigits),
            ("+02065550100", PhoneNumberError::LeadingZero),
            ("+123456", PhoneNumberError::Length),
            ("+1234567890123456", PhoneNumberError::Length),
            ("+", PhoneNumberError::Length),
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_more_than_five_digits_are_ever_printed(digits in "[1-9][0-9]{6,14}") {
            let number = PhoneNumber::parse(&format!("+{digits}")).expect("E.164 shape");
            prop_assert!(number.to_string().chars().filter(char::is_ascii_digit).count() <= 5);
            prop_assert_eq!(number.expose(), format!("+{digits}"));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = PhoneNumber::parse(&text);
        }
    }
}
