//! One message in several forms.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;

use super::anatomy::{Part, field, span};
use super::bench::{Bench, Kms, Step, bytes};
use super::fixtures::makers;
use crate::sealed::counted;

#[tokio::test(start_paused = true)]
async fn a_message_has_one_base64_text_only() {
    let mut padded = 0;
    for maker in makers() {
        for code in maker.codes.iter().filter(|code| code.suite == "0x0378") {
            let (message, text) = (bytes(code), &code.sealed);
            let (start, end) = text.split_at(400);
            let mut texts = vec![
                format!(" {text}"),
                format!("{text}\n"),
                format!("{start}\n{end}"),
                format!("{text}="),
                format!("{text}===="),
            ];
            let url_safe = URL_SAFE.encode(&message);
            texts.extend((url_safe != *text).then_some(url_safe));
            if let Some(unpadded) = text.strip_suffix('=') {
                texts.push(unpadded.to_owned());
                // The last digit before the padding has bits that mean nothing, and must be zero.
                let digits = unpadded.trim_end_matches('=');
                let last = digits.chars().last().expect("a long text");
                let next = char::from(u8::try_from(last).expect("ASCII") + 1);
                texts.push(text.replace(&format!("{last}="), &format!("{next}=")));
                padded += 1;
            }
            let bench = Bench::of(&maker, code, Kms::Faithful);
            let bodies: Vec<_> = texts.iter().map(|text| bench.body(text)).collect();
            let steps = bench.refuses_bodies(&bodies).await;
            assert_eq!(steps, vec![Step::Base64; texts.len()], "{} of {}", code.name, maker.implementation);
        }
    }
    assert!(padded > 0, "some texts end with padding");
}

#[tokio::test(start_paused = true)]
async fn a_code_in_the_body_of_another_is_refused() {
    for maker in makers() {
        let (code, other) = (maker.code("six digits"), maker.code("another code of six digits"));
        let bench = Bench::of(&maker, code, Kms::Faithful);
        let mut body = bench.body(&code.sealed);
        body["id"] = bench.body(&other.sealed)["id"].clone();
        let mut zeros = bench.body(&code.sealed);
        zeros["id"] = json!("0".repeat(32));
        assert_eq!(bench.refuses_bodies(&[body, zeros]).await, [Step::Id; 2], "{}", maker.implementation);
    }
}

/// With (r, s) its mirror image (r, n - s) is a signature too, and anybody can compute it: so it is with ECDSA. It is
/// the one change to a message that passes, and changes nothing that is signed, the message id included.
#[tokio::test(start_paused = true)]
async fn the_mirror_image_of_a_signature_passes_and_changes_nothing() {
    for maker in makers() {
        for code in maker.codes.iter().filter(|code| matches!(code.suite.as_str(), "0x0378" | "0x0578")) {
            let message = bytes(code);
            let [r, s] = integers(&message[field(&message, "signature")]);
            let mirrored =
                [&message[..span(&message, Part::Signature).start], &counted(&der(&r, &mirror(&s)))].concat();
            assert_ne!(mirrored, message);
            let bench = Bench::of(&maker, code, Kms::Faithful);
            bench.delivers(&bench.body(&STANDARD.encode(&mirrored))).await;
            assert_eq!(bench.body(&STANDARD.encode(&mirrored))["id"], bench.body(&code.sealed)["id"]);

            let not_minimal = der(&[&[0], &r[..]].concat(), &s);
            let with_a_byte_more = [der(&r, &s), vec![0]].concat();
            let without_s = der(&r, &[0]);
            let changed = [not_minimal, with_a_byte_more, without_s]
                .map(|signature| [&message[..span(&message, Part::Signature).start], &counted(&signature)].concat());
            let steps = Bench::of(&maker, code, Kms::Faithful).refuses(&changed).await;
            assert_eq!(steps, [Step::Opening; 3], "{} of {}", code.name, maker.implementation);
        }
    }
}

/// The order of P-384 (SEC 2, section 2.5.1).
const ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// n - s.
fn mirror(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference = ORDER;
    let s = s.iter().rev().chain(std::iter::repeat(&0));
    for (byte, subtrahend) in difference.iter_mut().rev().zip(s) {
        let value = i16::from(*byte) - i16::from(*subtrahend) - borrow;
        borrow = i16::from(value < 0);
        *byte = value.to_le_bytes()[0];
    }
    let zeros = difference.iter().take_while(|byte| **byte == 0).count();
    let minimal = &difference[zeros..];
    if minimal[0] < 0x80 { minimal.to_vec() } else { [&[0], minimal].concat() }
}

/// r and s, each as DER writes it.
fn integers(signature: &[u8]) -> [Vec<u8>; 2] {
    let integer = |at: usize| signature[at + 2..at + 2 + usize::from(signature[at + 1])].to_vec();
    let r = integer(2);
    let s = integer(4 + r.len());
    assert_eq!(der(&r, &s), signature);
    [r, s]
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| [&[2, u8::try_from(bytes.len()).expect("short")], bytes].concat();
    let content = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(content.len()).expect("short")], content.as_slice()].concat()
}
