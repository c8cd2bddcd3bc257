use super::layout::{COMMITMENT_KEY_BYTES, FINAL_FRAME, IV_BYTES, TAG_BYTES};
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

/// A code of Cognito as AWS made it, from a public capture
/// (Yorlin2S/CustomEmailSenderWithLambdaTrigger, README.md). Its author cut the signature's last bytes off:
/// zeros stand in for them, so it parses but does not verify.
pub(crate) fn capture() -> Vec<u8> {
    let event: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/email_sign_up_capture.json")).expect("the fixture is JSON");
    let code = event["request"]["code"].as_str().expect("the fixture has a code");
    let mut bytes = STANDARD.decode(code).expect("base64");
    bytes.resize(CAPTURE_BYTES, 0);
    bytes
}

const CAPTURE_BYTES: usize = 614;

#[test]
fn a_real_cognito_code_is_read_to_its_last_field() {
    let whole = capture();
    let message = EsdkMessage::parse(&whole).expect("a real code parses");
    assert_eq!(message.version, 1);
    assert_eq!(message.suite, AlgorithmSuite::COGNITO);
    assert_eq!(message.message_id.to_string(), "9b1cf0005fcf859edf9c9e55052be80f");
    let keys: Vec<_> = message.encryption_context.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["aws-crypto-public-key", "userpool-id"]);
    assert_eq!(message.encryption_context[0].1.as_bytes(), &whole[49..117]);
    assert_eq!(message.encryption_context[1].1, "eu-west-1_UVcwvZ1E8");
    let [key] = message.encrypted_data_keys.as_slice() else { panic!("one encrypted data key") };
    assert_eq!(key.provider_id, "aws-kms");
    assert_eq!(key.provider_info, b"arn:aws:kms:eu-west-1:249759398934:key/8a23102c-9b68-4fed-82ce-523c5363539e");
    assert_eq!(key.ciphertext, whole[241..425]);
    assert_eq!(message.plaintext_bytes, 6);
}

/// The capture field by field, as the format reference has it: the name that the parser's errors use, where the
/// field begins, and its bytes (None: random, or the author's zeros).
fn fields_of_the_capture() -> Vec<(&'static str, usize, usize, Option<&'static [u8]>)> {
    vec![
        ("the version", 0, 1, Some(&[1])),
        ("the type", 1, 1, Some(&[0x80])),
        ("the algorithm suite", 2, 2, Some(&[0x03, 0x78])),
        ("the message id", 4, 16, None),
        ("the encryption context length", 20, 2, Some(&[0, 129])),
        ("the encryption context pair count", 22, 2, Some(&[0, 2])),
        ("an encryption context key", 24, 2, Some(&[0, 21])),
        ("an encryption context key", 26, 21, Some(b"aws-crypto-public-key")),
        ("an encryption context value", 47, 2, Some(&[0, 68])),
        (
            "an encryption context value",
            49,
            68,
            Some(b"AusomLPqTbGgpJhyI0bUTUHpi7lIxJhL5PLz11sN7bb433KoTUmfXO0LWrYc1lKSzg=="),
        ),
        ("an encryption context key", 117, 2, Some(&[0, 11])),
        ("an encryption context key", 119, 11, Some(b"userpool-id")),
        ("an encryption context value", 130, 2, Some(&[0, 19])),
        ("an encryption context value", 132, 19, Some(b"eu-west-1_UVcwvZ1E8")),
        ("the encrypted data key count", 151, 2, Some(&[0, 1])),
        ("a key provider id", 153, 2, Some(&[0, 7])),
        ("a key provider id", 155, 7, Some(b"aws-kms")),
        ("a key provider's information", 162, 2, Some(&[0, 75])),
        (
            "a key provider's information",
            164,
            75,
            Some(b"arn:aws:kms:eu-west-1:249759398934:key/8a23102c-9b68-4fed-82ce-523c5363539e"),
        ),
        ("an encrypted data key", 239, 2, Some(&[0, 184])),
        ("an encrypted data key", 241, 184, None),
        ("the content type", 425, 1, Some(&[2])),
        ("the reserved bytes", 426, 4, Some(&[0; 4])),
        ("the IV length", 430, 1, Some(&[12])),
        ("the frame length", 431, 4, Some(&[0, 0, 0x10, 0])),
        ("the header IV", 435, 12, Some(&[0; 12])),
        ("the header authentication tag", 447, 16, None),
        ("a frame's sequence number", 463, 4, Some(&[0xff; 4])),
        ("the final frame's sequence number", 467, 4, Some(&[0, 0, 0, 1])),
        ("a frame's IV", 471, 12, Some(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("the final frame's content length", 483, 4, Some(&[0, 0, 0, 6])),
        ("a frame's content", 487, 6, None),
        ("a frame's authentication tag", 493, 16, None),
        ("the signature", 509, 2, Some(&[0, 103])),
        ("the signature", 511, 103, None),
    ]
}

#[test]
fn every_field_of_a_real_code_lies_where_the_format_has_it() {
    let whole = capture();
    let mut read = 0;
    for (field, offset, length, value) in fields_of_the_capture() {
        assert_eq!(offset, read, "{field} follows the field before it");
        let bytes = &whole[offset..offset + length];
        if let Some(value) = value {
            assert_eq!(bytes, value, "{field} at byte {offset}");
        }
        // The parser says in which field a message ends, and so where it believes each one to lie.
        for end in offset..offset + length {
            assert_eq!(
                EsdkMessage::parse(&whole[..end]),
                Err(LayoutError::Truncated { field, offset }),
                "cut off at byte {end}"
            );
        }
        read += length;
    }
    assert_eq!(read, whole.len(), "no byte is left over");
    // The signature is a SEQUENCE of two INTEGERs: r of 48 bytes, s of 49 with its leading zero.
    assert_eq!((&whole[511..515], &whole[563..566]), (&[0x30, 101, 2, 48][..], &[2, 49, 0][..]));
}

#[test]
fn a_byte_after_the_last_field_is_refused() {
    let extended = [capture(), vec![0]].concat();
    assert_eq!(EsdkMessage::parse(&extended), Err(LayoutError::TrailingBytes { offset: CAPTURE_BYTES }));
}

#[test]
fn an_error_names_the_field_and_the_place() {
    assert_eq!(EsdkMessage::parse(&[]).unwrap_err().to_string(), "the message ends inside the version (byte 0)");
    assert_eq!(
        EsdkMessage::parse(&[1, 0x80, 0x99, 0x99]).unwrap_err().to_string(),
        "the algorithm suite has a value that the format does not allow (byte 2)"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = EsdkMessage::parse(&bytes);
    }

    #[test]
    fn no_change_to_a_real_code_makes_the_parser_panic(
        changes in proptest::collection::vec((0..CAPTURE_BYTES, any::<u8>()), 1..8),
        length in 0usize..700,
    ) {
        let mut bytes = capture();
        for (position, value) in changes {
            bytes[position] = value;
        }
        bytes.resize(length, 0);
        let _ = EsdkMessage::parse(&bytes);
    }

    #[test]
    fn version_2_is_read_as_the_format_writes_it(
        context in proptest::collection::btree_map("[a-z]{1,8}", "[ -~]{0,12}", 0..4),
        edk in proptest::collection::vec(any::<u8>(), 0..200),
        content in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let bytes = version_2(&context.clone().into_iter().collect::<Vec<_>>(), &edk, &content);
        let message = EsdkMessage::parse(&bytes).expect("a message written by the book parses");
        prop_assert_eq!(message.version, 2);
        prop_assert_eq!(message.suite.id(), 0x0478);
        prop_assert_eq!(message.encryption_context, context.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(&message.encrypted_data_keys[0].ciphertext, &edk);
        prop_assert_eq!(message.plaintext_bytes, content.len() as u64);
    }
}

fn version_2(context: &[(String, String)], edk: &[u8], content: &[u8]) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
    let mut aad = Vec::new();
    if !context.is_empty() {
        aad.extend(u16::try_from(context.len()).expect("few").to_be_bytes());
        for (key, value) in context {
            aad.extend(counted(key.as_bytes()));
            aad.extend(counted(value.as_bytes()));
        }
    }
    let mut bytes = vec![2, 0x04, 0x78];
    bytes.extend([7; 32]);
    bytes.extend(counted(&aad));
    bytes.extend([0, 1]);
    bytes.extend(counted(b"aws-kms"));
    bytes.extend(counted(b"arn"));
    bytes.extend(counted(edk));
    bytes.push(2);
    bytes.extend(4096u32.to_be_bytes());
    bytes.extend([0; COMMITMENT_KEY_BYTES + TAG_BYTES]);
    bytes.extend(FINAL_FRAME.to_be_bytes());
    bytes.extend(1u32.to_be_bytes());
    bytes.extend([0; IV_BYTES]);
    bytes.extend(u32::try_from(content.len()).expect("short").to_be_bytes());
    bytes.extend(content);
    bytes.extend([0; TAG_BYTES]);
    bytes
}
