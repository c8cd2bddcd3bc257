//! Two codes of one maker, of one length and under one data key, mixed.

use super::anatomy::{Part, fields, span};
use super::bench::{Bench, Kms, Step, bytes};
use super::fields::refused_by;
use super::fixtures::makers;

/// The parts in which two codes differ.
const PARTS: [Part; 6] = [Part::MessageId, Part::Context, Part::DataKeys, Part::Shape, Part::Body, Part::Signature];

#[tokio::test(start_paused = true)]
async fn every_mixture_of_the_parts_of_two_codes_is_refused() {
    for maker in makers() {
        let (code, other) = (maker.code("six digits"), maker.code("another code of six digits"));
        let (message, foreign) = (bytes(code), bytes(other));
        // Bit n of the choice: part n is the other code's. None and all are no mixtures.
        let choices: Vec<u32> = (1..(1 << PARTS.len()) - 1).collect();
        let mixed = |choice: u32| {
            let part = |(n, part): (usize, &Part)| {
                let from = if choice >> n & 1 == 1 { &foreign } else { &message };
                from[span(from, *part)].to_vec()
            };
            let parts: Vec<_> = PARTS.iter().enumerate().map(part).collect();
            [message[span(&message, Part::Beginning)].to_vec(), parts.concat()].concat()
        };
        let mixtures: Vec<_> = choices.iter().map(|choice| mixed(*choice)).collect();
        for kms in [Kms::Faithful, Kms::Credulous] {
            let steps = Bench::of(&maker, code, kms).refuses(&mixtures).await;
            for (choice, step) in choices.iter().zip(steps) {
                let is_foreign = |part: Part| choice >> PARTS.iter().position(|each| *each == part).unwrap() & 1 == 1;
                // A faithful KMS binds the data key to the context, and knows of nothing else.
                let torn_apart = is_foreign(Part::Context) != is_foreign(Part::DataKeys);
                let expected = if kms == Kms::Faithful && torn_apart { Step::Kms } else { Step::Opening };
                assert_eq!(step, expected, "{choice:#b} of {}, KMS {kms:?}", maker.implementation);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_field_of_another_code_is_refused() {
    for maker in makers() {
        let (code, other) = (maker.code("six digits"), maker.code("another code of six digits"));
        let (message, foreign) = (bytes(code), bytes(other));
        let mut replaced = Vec::new();
        for (field, of_other) in fields(&message).into_iter().zip(fields(&foreign)) {
            let (own, others) = (&message[field.range.clone()], &foreign[of_other.range]);
            if own != others {
                let mut changed = message.clone();
                changed.splice(field.range.clone(), others.iter().copied());
                // A signature of another length needs its own length before it.
                let length = u16::try_from(others.len()).unwrap().to_be_bytes();
                if field.name == "signature" {
                    changed.splice(field.range.start - 2..field.range.start, length);
                }
                replaced.push((field.name, changed));
            }
        }
        let (names, messages): (Vec<_>, Vec<_>) = replaced.into_iter().unzip();
        let always_different = ["message id", "public key", "wrapped key", "header tag", "content", "tag", "signature"];
        assert!(always_different.iter().all(|name| names.contains(name)), "{names:?}");
        for kms in [Kms::Faithful, Kms::Credulous] {
            let steps = Bench::of(&maker, code, kms).refuses(&messages).await;
            for (name, step) in names.iter().zip(steps) {
                assert!(refused_by(name, kms).contains(&step), "{name} of {}: {step:?}", maker.implementation);
            }
        }
    }
}
