//! Messages taken apart and put together anew: sound in their layout, and false.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use shared::{KeyArn, UserPoolId};

use super::anatomy::{Part, field, fields, span};
use super::bench::Step::{Header, Kms as AtKms, Opening, Suite};
use super::bench::{Bench, Kms, Step, bytes};
use super::fixtures::{Code, Maker, makers};
use crate::sealed::{counted, two_bytes};

const FOREIGN_KEY: &str = "arn:aws:kms:eu-west-1:999999999999:key/00000000-0000-0000-0000-000000000000";

/// Runs over the codes of this name, of each maker that has one.
async fn each(name: &str, check: impl AsyncFn(&Maker, &Code)) {
    let makers = makers();
    let codes = makers.iter().flat_map(|maker| maker.codes.iter().map(move |code| (maker, code)));
    let named: Vec<_> = codes.filter(|(_, code)| code.name == name).collect();
    assert!(!named.is_empty(), "no maker has a code named {name}");
    for (maker, code) in named {
        check(maker, code).await;
    }
}

/// Hands in messages by name; each must be refused by its step, with a faithful KMS and with a credulous one.
async fn refused(maker: &Maker, code: &Code, rows: Vec<(&str, Vec<u8>, Step, Step)>) {
    for kms in [Kms::Faithful, Kms::Credulous] {
        let messages: Vec<_> = rows.iter().map(|(_, message, ..)| message.clone()).collect();
        let steps = Bench::of(maker, code, kms).refuses(&messages).await;
        for ((name, _, faithful, credulous), step) in rows.iter().zip(steps) {
            let expected = if kms == Kms::Faithful { faithful } else { credulous };
            assert_eq!(step, *expected, "{name}: {} of {}, KMS {kms:?}", code.name, maker.implementation);
        }
    }
}

fn replaced(message: &[u8], range: Range<usize>, by: &[u8]) -> Vec<u8> {
    [&message[..range.start], by, &message[range.end..]].concat()
}

/// The message with these data keys, each as it is written.
fn with_data_keys(message: &[u8], keys: &[&[u8]]) -> Vec<u8> {
    let section = [&two_bytes(keys.len())[..], &keys.concat()].concat();
    replaced(message, span(message, Part::DataKeys), &section)
}

/// The message with these pairs for its context.
fn with_context(message: &[u8], pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut section = two_bytes(pairs.len()).to_vec();
    for (key, value) in pairs {
        section.extend([counted(key), counted(value)].concat());
    }
    replaced(message, span(message, Part::Context), &counted(&section))
}

/// The pairs of the message's context.
fn context(message: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let is_text = |name| matches!(name, "context key" | "public key" | "pool" | "context value");
    let fields = fields(message).into_iter().filter(|field| is_text(field.name));
    let texts: Vec<_> = fields.map(|field| message[field.range].to_vec()).collect();
    texts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn data_keys_that_were_added_doubled_or_put_in_the_place_of_the_true_one_are_refused() {
    each("six digits", async |maker, code| {
        let message = bytes(code);
        let own = &message[span(&message, Part::DataKeys)][2..];
        let key = |arn: &str| [counted(b"aws-kms"), counted(arn.as_bytes()), counted(&[0xbb; 184])].concat();
        let (foreign, forged) = (key(FOREIGN_KEY), key(&maker.key_arn));
        refused(
            maker,
            code,
            vec![
                ("a foreign key after the true one", with_data_keys(&message, &[own, &foreign]), Opening, Opening),
                ("a foreign key before the true one", with_data_keys(&message, &[&foreign, own]), Opening, Opening),
                ("a forged key after the true one", with_data_keys(&message, &[own, &forged]), Opening, Opening),
                ("a forged key before the true one", with_data_keys(&message, &[&forged, own]), AtKms, Opening),
                ("a forged key alone", with_data_keys(&message, &[&forged]), AtKms, Opening),
                ("a foreign key alone", with_data_keys(&message, &[&foreign]), Step::NoKey, Step::NoKey),
                ("the true key twice", with_data_keys(&message, &[own, own]), Opening, Opening),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_data_keys_are_refused_apart_and_in_another_order() {
    each("an emulator's code with two wrapped keys", async |maker, code| {
        let message = bytes(code);
        let keys = &message[span(&message, Part::DataKeys)][2..];
        let (first, second) = keys.split_at(keys.len() / 2);
        refused(
            maker,
            code,
            vec![
                ("the first alone", with_data_keys(&message, &[first]), Opening, Opening),
                ("the second alone", with_data_keys(&message, &[second]), Opening, Opening),
                ("exchanged", with_data_keys(&message, &[second, first]), Opening, Opening),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_data_key_assigned_to_another_of_our_keys_is_refused() {
    each("six digits", async |maker, code| {
        let message = bytes(code);
        let reassigned = replaced(&message, field(&message, "key ARN"), FOREIGN_KEY.as_bytes());
        let reassigned = vec![replaced(&reassigned, field(&message, "key ARN length"), &two_bytes(FOREIGN_KEY.len()))];
        for (kms, expected) in [(Kms::Faithful, AtKms), (Kms::Credulous, Opening)] {
            let mut bench = Bench::of(maker, code, kms);
            bench.scene.change(|worker| worker.config.key_arns.push(KeyArn::parse(FOREIGN_KEY).expect("a key ARN")));
            assert_eq!(bench.refuses(&reassigned).await, [expected], "{}", maker.implementation);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_context_with_a_pair_more_or_less_is_refused() {
    for name in ["six digits", "an emulator's code", "a committed suite with the pool"] {
        each(name, async |maker, code| {
            let message = bytes(code);
            let own = context(&message);
            let pair = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
            let mut rows = vec![(
                "a pair more",
                with_context(&message, &[own.clone(), vec![pair("zone", "")]].concat()),
                AtKms,
                Opening,
            )];
            if code.context.is_empty() {
                let pool = pair("userpool-id", "eu-west-1_EXAMPLE01");
                let with_pool = with_context(&message, &[own, vec![pool]].concat());
                rows.push(("the pool put in", with_pool, AtKms, Opening));
            } else {
                let without_pool = with_context(&message, &own[..1]);
                rows.push(("the pool taken out", without_pool, Step::Pool, Step::Pool));
            }
            refused(maker, code, rows).await;
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_moved_to_another_pool_is_refused_even_if_that_pool_is_allowed() {
    for name in ["six digits", "a committed suite with the pool"] {
        each(name, async |maker, code| {
            let message = bytes(code);
            let moved = replaced(&message, field(&message, "pool"), b"eu-west-1_EXAMPLE02");
            let taken_out = with_context(&message, &context(&message)[..1]);
            for (kms, expected) in [(Kms::Faithful, AtKms), (Kms::Credulous, Opening)] {
                let mut bench = Bench::of(maker, code, kms);
                bench.scene.change(|worker| {
                    let other = UserPoolId::parse("eu-west-1_EXAMPLE02").expect("a pool id");
                    worker.config.allowed_pools.as_mut().expect("the scene names one").insert(other);
                    worker.config.settings.trust.allow_missing_pool = true;
                });
                let bodies = [&moved, &taken_out].map(|message| {
                    let mut body = bench.body(&STANDARD.encode(message));
                    body["event"]["userPoolId"] = json!("eu-west-1_EXAMPLE02");
                    body
                });
                assert_eq!(bench.refuses_bodies(&bodies).await, [expected; 2], "{}", maker.implementation);
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_claims_another_suite_is_refused() {
    let claiming =
        |message: &[u8], suite: u16| replaced(message, field(message, "algorithm suite"), &suite.to_be_bytes());
    let unsigned = |message: &[u8], suite: u16| {
        let signature = span(message, Part::Signature);
        claiming(message, suite)[..signature.start].to_vec()
    };
    each("six digits", async |maker, code| {
        let message = bytes(code);
        refused(
            maker,
            code,
            vec![
                ("a shorter key", claiming(&message, 0x0346), Suite, Suite),
                ("the shortest key", claiming(&message, 0x0214), Suite, Suite),
                ("no signature", unsigned(&message, 0x0178), Suite, Suite),
            ],
        )
        .await;
    })
    .await;
    for name in ["an emulator's code", "a committed suite with the pool"] {
        each(name, async |maker, code| {
            let message = bytes(code);
            let context = context(&message).into_iter().filter(|(key, _)| key != b"aws-crypto-public-key");
            let context: Vec<_> = context.collect();
            let unsigned = unsigned(&message, 0x0478);
            let keyless = if context.is_empty() {
                replaced(&unsigned, span(&unsigned, Part::Context), &[0, 0])
            } else {
                with_context(&unsigned, &context)
            };
            refused(
                maker,
                code,
                vec![
                    ("no signature", unsigned, Header, Header),
                    ("no signature and no public key", keyless, AtKms, Opening),
                ],
            )
            .await;
        })
        .await;
    }
    each("a committed suite without signature", async |maker, code| {
        let message = bytes(code);
        let signed = [claiming(&message, 0x0578), counted(&[0x30; 103])].concat();
        refused(maker, code, vec![("a signature", signed, Header, Header)]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_left_out_exchanged_or_doubled_are_refused() {
    each("a password over several frames", async |maker, code| {
        let message = bytes(code);
        let body = span(&message, Part::Body);
        // A frame of 128 bytes and a final one of the rest.
        let (first, last) = message[body.clone()].split_at(4 + 12 + 128 + 16);
        let numbered = |frame: &[u8], number: u8| {
            let at = if frame.starts_with(&[0xff; 4]) { 7 } else { 3 };
            replaced(frame, at..at + 1, &[number])
        };
        // The first frame in the form of a final one.
        let (start, rest) = first.split_at(4 + 12);
        let first_as_final = |number: u8| [&[0xff; 4], &[0, 0, 0, number], &start[4..], &[0, 0, 0, 128], rest].concat();
        let with = |frames: &[&[u8]]| replaced(&message, body.clone(), &frames.concat());
        refused(
            maker,
            code,
            vec![
                ("the first left out", with(&[&numbered(last, 1)]), Opening, Opening),
                ("the last left out", with(&[&first_as_final(1)]), Opening, Opening),
                ("the first twice", with(&[first, &numbered(first, 2), &numbered(last, 3)]), Opening, Opening),
                ("the first again as the last", with(&[first, &first_as_final(2)]), Opening, Opening),
            ],
        )
        .await;
    })
    .await;
}
