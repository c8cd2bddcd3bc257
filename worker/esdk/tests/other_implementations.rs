//! Codes that other implementations of the Encryption SDK sealed, opened; and refused for the wrong pool, trust or key.

mod fixtures;

use esdk::{OpenError, open};
use fixtures::{Code, Maker, makers};
use secrecy::{ExposeSecret as _, SecretBox};
use shared::{SealedCode, SealedCodeError, Trust, UserPoolId};

const POOL: &str = "eu-west-1_EXAMPLE01";

/// Runs over every code of every maker, which the message of a failure then names.
fn each_code(check: impl Fn(&Maker, &Code, &SealedCode, &str)) {
    for maker in makers() {
        assert!(maker.codes.len() >= 7, "{} has too few codes", maker.implementation);
        for code in &maker.codes {
            let at = format!("{} of {}", code.name, maker.implementation);
            let sealed = SealedCode::parse(&code.sealed).unwrap_or_else(|error| panic!("{at}: {error}"));
            check(&maker, code, &sealed, &at);
        }
    }
}

fn pool(text: &str) -> UserPoolId {
    UserPoolId::parse(text).expect("a pool id")
}

fn every_trust() -> impl Iterator<Item = Trust> {
    [(false, false), (false, true), (true, false), (true, true)]
        .into_iter()
        .map(|(allow_missing_pool, allow_committed_suites)| Trust { allow_missing_pool, allow_committed_suites })
}

#[test]
fn every_code_opens_to_exactly_its_clear_text() {
    each_code(|maker, code, sealed, at| {
        let clear = open(sealed, &maker.secret_data_key()).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(clear.expose_secret(), code.clear, "{at}");
    });
}

#[test]
fn every_header_says_what_was_asked_of_its_maker() {
    each_code(|maker, code, sealed, at| {
        let message = sealed.message();
        assert_eq!(message.suite.to_string(), code.suite, "{at}");
        let is_committed = matches!(code.suite.as_str(), "0x0478" | "0x0578");
        assert_eq!(message.version, if is_committed { 2 } else { 1 }, "{at}");
        let is_signed = matches!(code.suite.as_str(), "0x0378" | "0x0578");
        let mut keys: Vec<_> = code.context.keys().map(String::as_str).collect();
        keys.extend(is_signed.then_some("aws-crypto-public-key"));
        keys.sort_unstable();
        assert_eq!(message.encryption_context.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), keys, "{at}");
        for pair in &code.context {
            assert!(message.encryption_context.iter().any(|(key, value)| (key, value) == pair), "{at}: {pair:?}");
        }
        let lengths: Vec<_> = message.encrypted_data_keys.iter().map(|key| key.ciphertext.len()).collect();
        assert_eq!(lengths, code.wrapped_key_lengths, "{at}");
        assert!(sealed.key_arns().all(|arn| arn.as_str() == maker.key_arn), "{at}");
        assert_eq!(sealed.key_arns().count(), lengths.len(), "{at}");
        assert_eq!(message.plaintext_bytes, code.clear.len() as u64, "{at}");
    });
}

#[test]
fn a_code_is_trusted_as_far_as_its_suite_and_pool_deserve() {
    each_code(|_, code, sealed, at| {
        for trust in every_trust() {
            let suite_is_trusted = match code.suite.as_str() {
                "0x0378" => true,
                "0x0478" | "0x0578" => trust.allow_committed_suites,
                _ => false,
            };
            let pool_is_trusted = code.context.contains_key("userpool-id") || trust.allow_missing_pool;
            let verdict = sealed.check(&pool(POOL), &trust);
            match (suite_is_trusted, pool_is_trusted) {
                (true, true) => assert_eq!(verdict, Ok(()), "{at} under {trust:?}"),
                (true, false) => assert_eq!(verdict, Err(SealedCodeError::NoPool), "{at} under {trust:?}"),
                (false, _) => {
                    assert_eq!(verdict, Err(SealedCodeError::Suite(sealed.message().suite)), "{at} under {trust:?}");
                }
            }
        }
    });
}

#[test]
fn a_code_for_another_pool_is_refused_whatever_is_trusted() {
    each_code(|_, code, sealed, at| {
        if code.context.contains_key("userpool-id") {
            for trust in every_trust() {
                assert_ne!(sealed.check(&pool("eu-west-1_EXAMPLE02"), &trust), Ok(()), "{at} under {trust:?}");
            }
            let all_suites = Trust { allow_committed_suites: true, ..Trust::default() };
            let refusal = sealed.check(&pool("eu-west-1_EXAMPLE02"), &all_suites);
            let is_foreign = refusal == Err(SealedCodeError::ForeignPool);
            assert!(is_foreign || matches!(refusal, Err(SealedCodeError::Suite(_))), "{at}: {refusal:?}");
        }
    });
}

#[test]
fn a_data_key_that_differs_in_one_bit_opens_nothing() {
    each_code(|maker, _, sealed, at| {
        for bit in [0, 100, 255] {
            let mut other = maker.data_key();
            other[bit / 8] ^= 1 << (bit % 8);
            let refusal = open(sealed, &SecretBox::new(Box::new(other))).err();
            assert_eq!(refusal, Some(OpenError::NotAuthentic), "{at}");
        }
    });
}
