use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::{EsdkMessage, LayoutError, MessageId, SealedCode, SealedCodeError, Trust, UserPoolId};

use crate::marker;

/// An AWS Encryption SDK message, read without a key.
///
/// - An error names a place inside the input, and repeats nothing of it.
/// - What is read covers the message exactly: written again it is the input's beginning, nothing may follow the
///   message and nothing be cut off, and no part is larger than the whole.
/// - In base64 it is a sealed code of the same content, which `Display` and `Debug` do not show.
pub fn header(input: &[u8]) -> bool {
    if let Err(error) = EsdkMessage::parse(&marker::planted_into(input)) {
        marker::must_not_be_in(&format!("{error} {error:?}"));
    }
    match EsdkMessage::parse(input) {
        Ok(message) => {
            covers_exactly(&message, input);
            is_a_sealed_code(&message, input);
            true
        }
        Err(error) => {
            names_a_place_in(input, &error);
            false
        }
    }
}

fn covers_exactly(message: &EsdkMessage, input: &[u8]) {
    let beginning = beginning(message, input);
    assert!(input.starts_with(&beginning), "the header is not what was read");
    let rest = (input.len() - beginning.len()) as u64;
    assert!(message.plaintext_bytes < rest, "the plaintext is longer than the body");
    let longer = [input, &[0]].concat();
    assert_eq!(EsdkMessage::parse(&longer), Err(LayoutError::TrailingBytes { offset: input.len() }));
    for shorter in [input.len() - 1, input.len() / 2, beginning.len()] {
        let error = EsdkMessage::parse(&input[..shorter]);
        assert!(matches!(error, Err(LayoutError::Truncated { .. })), "{error:?} of {shorter} bytes");
    }
}

/// The fields from the version to the last encrypted data key, as the format writes them.
fn beginning(message: &EsdkMessage, input: &[u8]) -> Vec<u8> {
    let mut bytes = vec![message.version];
    if message.version == 1 {
        bytes.push(0x80);
    }
    bytes.extend(message.suite.id().to_be_bytes());
    let id = &input[bytes.len()..][..if message.version == 1 { 16 } else { 32 }];
    assert_eq!(MessageId::from_bytes(id), message.message_id);
    bytes.extend(id);
    let mut pairs = Vec::new();
    for (key, value) in &message.encryption_context {
        pairs.extend([counted(key.as_bytes()), counted(value.as_bytes())].concat());
    }
    if !pairs.is_empty() {
        pairs.splice(..0, two_bytes(message.encryption_context.len()));
    }
    bytes.extend(counted(&pairs));
    bytes.extend(two_bytes(message.encrypted_data_keys.len()));
    for key in &message.encrypted_data_keys {
        bytes.extend(counted(key.provider_id.as_bytes()));
        bytes.extend(counted(&key.provider_info));
        bytes.extend(counted(&key.ciphertext));
    }
    bytes
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&two_bytes(bytes.len())[..], bytes].concat()
}

fn two_bytes(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("it was read from two bytes").to_be_bytes()
}

fn is_a_sealed_code(message: &EsdkMessage, input: &[u8]) {
    let text = STANDARD.encode(input);
    let code = match SealedCode::parse(&text) {
        Ok(code) => code,
        Err(error) => return assert_eq!(error, SealedCodeError::TooLong),
    };
    assert_eq!((code.bytes(), code.message()), (input, message));
    assert_eq!(code.to_string(), format!("{}…", &text[..8]));
    assert!(format!("{code:?}").len() < 60, "more than the first characters are shown");
    for arn in code.key_arns() {
        assert!(message.encrypted_data_keys.iter().any(|key| key.provider_info == arn.as_str().as_bytes()));
    }
    let pool = UserPoolId::parse("eu-west-1_EXAMPLE01").expect("it is a pool id");
    let lenient = Trust { allow_missing_pool: true, allow_committed_suites: true };
    if code.check(&pool, &Trust::default()).is_ok() {
        assert_eq!(message.suite.id(), 0x0378);
        assert_eq!(code.user_pool(), Some(pool.as_str()));
        assert_eq!(code.check(&pool, &lenient), Ok(()));
    }
    if code.check(&pool, &lenient).is_ok() {
        assert!(code.user_pool().is_none_or(|sealed_for| sealed_for == pool.as_str()));
    }
}

fn names_a_place_in(input: &[u8], error: &LayoutError) {
    match *error {
        LayoutError::Truncated { offset, .. } | LayoutError::Invalid { offset, .. } => assert!(offset <= input.len()),
        LayoutError::TrailingBytes { offset } => {
            assert!(offset < input.len());
            assert!(EsdkMessage::parse(&input[..offset]).is_ok(), "what is before the trailing bytes is no message");
        }
    }
}
