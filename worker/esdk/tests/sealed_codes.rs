//! From a clear code to a sealed one and back, and everything that a sealed code must not survive.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use esdk::{OpenError, SealError, SealOptions, WrappedDataKey, open, seal, seal_with};
use proptest::prelude::*;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use shared::{AlgorithmSuite, KeyArn, SealedCode, SealedCodeError, Trust, UserPoolId};

const CODE: &str = "407166";
const KEY_ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";
/// As long as KMS makes them.
const WRAPPED_KEY: [u8; 184] = [0xed; 184];
const COGNITO: SealOptions = SealOptions { committed_suite: false, without_pool: false };
const EMULATOR: SealOptions = SealOptions { committed_suite: true, without_pool: true };

fn pool() -> UserPoolId {
    UserPoolId::parse("eu-west-1_EXAMPLE01").expect("a pool id")
}

fn key_arn() -> KeyArn {
    KeyArn::parse(KEY_ARN).expect("a key ARN")
}

/// A data key whose bytes would be recognised wherever they were printed.
fn data_key() -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new(std::array::from_fn(|position| 201 + u8::try_from(position).expect("below 32"))))
}

fn wrap(_: &BTreeMap<String, String>) -> Result<WrappedDataKey, Infallible> {
    Ok(WrappedDataKey { plaintext: data_key(), ciphertext: WRAPPED_KEY.to_vec() })
}

fn sealed(clear: &str, options: SealOptions) -> SealedCode {
    let text = seal_with(options, &SecretString::from(clear), &pool(), &key_arn(), wrap).expect("sealed");
    SealedCode::parse(&text).expect("our parser reads what the library writes")
}

fn opened(code: &SealedCode) -> Result<String, OpenError> {
    open(code, &data_key()).map(|clear| clear.expose_secret().to_owned())
}

/// The message with `change` made to it, as an attacker would hand it in.
fn changed(code: &SealedCode, change: impl FnOnce(&mut Vec<u8>)) -> Result<SealedCode, SealedCodeError> {
    let mut bytes = code.bytes().to_vec();
    change(&mut bytes);
    SealedCode::parse(&STANDARD.encode(bytes))
}

#[test]
fn a_code_sealed_as_cognito_does_opens() {
    let text = seal(&SecretString::from(CODE), &pool(), &key_arn(), wrap).expect("sealed");
    assert!(text.starts_with("AYADe"), "as every code of Cognito does");
    let code = SealedCode::parse(&text).expect("our parser reads what the library writes");
    assert_eq!(code.check(&pool(), &Trust::default()), Ok(()));
    assert_eq!(opened(&code), Ok(CODE.to_owned()));
}

#[test]
fn the_header_says_what_was_asked_for() {
    let (sender, receiver) = mpsc::channel();
    let text = seal(&SecretString::from(CODE), &pool(), &key_arn(), move |context| {
        sender.send(context.clone()).expect("the test listens");
        wrap(context)
    });
    let code = SealedCode::parse(&text.expect("sealed")).expect("our parser reads what the library writes");
    let message = code.message();
    assert_eq!((message.version, message.suite), (1, AlgorithmSuite::COGNITO));
    assert_eq!(code.message_id().as_str().len(), 32);
    let keys: Vec<_> = message.encryption_context.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["aws-crypto-public-key", "userpool-id"]);
    assert_eq!(code.user_pool(), Some("eu-west-1_EXAMPLE01"));
    let wrapped_for: Vec<_> = receiver.recv().expect("wrap was asked").into_iter().collect();
    assert_eq!(wrapped_for, message.encryption_context, "the data key is bound to the full context");
    let [key] = message.encrypted_data_keys.as_slice() else { panic!("one encrypted data key") };
    assert_eq!(key.provider_id, "aws-kms");
    assert_eq!(key.provider_info, KEY_ARN.as_bytes());
    assert_eq!(key.ciphertext, WRAPPED_KEY);
    assert_eq!(code.key_arns().collect::<Vec<_>>(), [key_arn()]);
    assert_eq!(message.plaintext_bytes, CODE.len() as u64);
    // The frame length follows the content type, four reserved bytes and the IV length.
    let frame_length = [2, 0, 0, 0, 0, 12, 0, 0, 0x10, 0];
    assert!(code.bytes().windows(frame_length.len()).any(|window| window == frame_length), "4096-byte frames");
}

#[test]
fn a_code_sealed_as_emulators_do_is_for_those_who_trust_it() {
    let code = sealed(CODE, EMULATOR);
    assert_eq!((code.message().version, code.message().suite.id()), (2, 0x0578));
    assert_eq!(code.user_pool(), None);
    assert!(matches!(code.check(&pool(), &Trust::default()), Err(SealedCodeError::Suite(_))));
    let suites_only = Trust { allow_committed_suites: true, allow_missing_pool: false };
    assert_eq!(code.check(&pool(), &suites_only), Err(SealedCodeError::NoPool));
    let emulators = Trust { allow_committed_suites: true, allow_missing_pool: true };
    assert_eq!(code.check(&pool(), &emulators), Ok(()));
    assert_eq!(opened(&code), Ok(CODE.to_owned()));
}

#[test]
fn either_emulator_option_works_alone() {
    for options in [SealOptions { without_pool: false, ..EMULATOR }, SealOptions { without_pool: true, ..COGNITO }] {
        let code = sealed(CODE, options);
        assert_eq!(code.message().version == 2, options.committed_suite);
        assert_eq!(code.user_pool().is_none(), options.without_pool);
        assert_eq!(opened(&code), Ok(CODE.to_owned()));
    }
}

#[test]
fn a_changed_bit_in_any_byte_is_refused() {
    for options in [COGNITO, EMULATOR] {
        let code = sealed(CODE, options);
        let mut past_the_parser = 0;
        for position in 0..code.bytes().len() {
            let Ok(tampered) = changed(&code, |bytes| bytes[position] ^= 1 << (position % 8)) else { continue };
            let refusal = opened(&tampered).expect_err("a changed message does not open");
            past_the_parser += 1;
            assert!(
                matches!(refusal, OpenError::NotAuthentic | OpenError::HeaderRefused),
                "a bit in byte {position} was refused as {refusal:?}"
            );
            assert_shows_no_secret(&refusal);
        }
        assert!(past_the_parser > 500, "most of the changes are `open`'s to refuse, not only {past_the_parser}");
    }
}

fn assert_shows_no_secret(error: &OpenError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CODE) && !shown.contains(&STANDARD.encode(CODE)), "{shown}");
    for pair in data_key().expose_secret().windows(2) {
        let [first, second] = pair else { unreachable!("windows of two") };
        for bytes in [format!("{first}, {second}"), format!("{first:02x}{second:02x}")] {
            assert!(!shown.to_lowercase().contains(&bytes), "{shown}");
        }
    }
}

#[test]
fn a_truncation_at_every_length_is_refused() {
    let code = sealed(CODE, COGNITO);
    for length in 0..code.bytes().len() {
        let refused = changed(&code, |bytes| bytes.truncate(length));
        assert!(matches!(refused, Err(SealedCodeError::Layout(_))), "{length} bytes were read");
    }
}

#[test]
fn a_trailing_byte_is_refused() {
    let refused = changed(&sealed(CODE, COGNITO), |bytes| bytes.push(0));
    assert!(matches!(refused, Err(SealedCodeError::Layout(_))));
}

#[test]
fn a_wrong_data_key_is_refused() {
    let wrong = SecretBox::new(Box::new([0; 32]));
    for options in [COGNITO, EMULATOR] {
        assert_eq!(open(&sealed(CODE, options), &wrong).err(), Some(OpenError::NotAuthentic));
    }
}

#[test]
fn the_body_of_another_code_under_the_same_key_is_refused() {
    let (code, other) = (sealed(CODE, COGNITO), sealed("999999", COGNITO));
    let body = body_offset(&code);
    assert_eq!(body, body_offset(&other));
    let spliced = changed(&code, |bytes| bytes.splice(body.., other.bytes()[body..].iter().copied()).for_each(drop));
    assert_eq!(opened(&spliced.expect("it has the layout of a message")), Err(OpenError::NotAuthentic));
}

/// Where the final (and only) frame begins.
fn body_offset(code: &SealedCode) -> usize {
    let start = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1];
    code.bytes().windows(start.len()).position(|window| window == start).expect("a final frame")
}

#[test]
fn twenty_codes_open_at_once() {
    let codes: Vec<_> =
        (0..20).map(|number| (format!("{number:06}"), sealed(&format!("{number:06}"), COGNITO))).collect();
    std::thread::scope(|scope| {
        for (clear, code) in &codes {
            scope.spawn(move || assert_eq!(opened(code).as_ref(), Ok(clear)));
        }
    });
}

#[test]
fn a_temporary_password_passes_untouched() {
    let password: String =
        "Pä$$w0rd&lt;&amp;&gt;&quot;&#39;\"'<>\\%{}漢字🔑\u{0301} ".chars().cycle().take(256).collect();
    assert_eq!(opened(&sealed(&password, COGNITO)), Ok(password));
}

#[test]
fn a_failure_to_make_the_data_key_comes_back_as_it_was() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("the key is disabled")]
    struct Disabled;
    let refused = seal(&SecretString::from(CODE), &pool(), &key_arn(), |_| Err(Disabled)).expect_err("no key, no code");
    assert_eq!(refused, SealError::NoDataKey(Disabled));
    assert_eq!(refused.to_string(), "the data key could not be made: the key is disabled");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_clear_text_of_up_to_256_characters_comes_back(clear in "\\PC{0,256}|[\\x00-\\x7f]{0,16}|.{6}") {
        let options = if clear.len() % 2 == 0 { COGNITO } else { EMULATOR };
        prop_assert_eq!(opened(&sealed(&clear, options)), Ok(clear));
    }
}
