//! Changes within one field, and cuts.

use std::collections::BTreeSet;

use super::anatomy::{Field, fields};
use super::bench::Step::{Header, Kms as AtKms, Layout, NoKey, Opening, Pool};
use super::bench::{Bench, Kms, Step, bytes};
use super::fixtures::{Code, Maker, javascript, makers, python, sealpost};

/// By which step a change to a field is refused when KMS is faithful, and when it is credulous. Several steps where it
/// depends on the change: a text that is no longer UTF-8 and a length that no longer fits are the layout's to refuse.
const REFUSED_BY: &[(&str, &[Step], &[Step])] = &[
    ("version", &[Layout], &[Layout]),
    ("type", &[Layout], &[Layout]),
    ("algorithm suite", &[Layout], &[Layout]),
    ("message id", &[Opening], &[Opening]),
    ("context length", &[Layout], &[Layout]),
    ("context pair count", &[Layout], &[Layout]),
    ("context key length", &[Layout], &[Layout]),
    ("context key", &[Layout, Pool, AtKms], &[Layout, Pool, Header, Opening]),
    ("context value length", &[Layout], &[Layout]),
    ("context value", &[Layout, AtKms], &[Layout, Opening]),
    ("public key", &[Layout, AtKms], &[Layout, Header, Opening]),
    ("pool", &[Layout, Pool], &[Layout, Pool]),
    ("data key count", &[Layout], &[Layout]),
    ("provider id length", &[Layout], &[Layout]),
    ("key ARN length", &[Layout], &[Layout]),
    ("wrapped key length", &[Layout], &[Layout]),
    // Of two data keys the other one is taken.
    ("provider id", &[Layout, NoKey, Opening], &[Layout, NoKey, Opening]),
    ("key ARN", &[NoKey, Opening], &[NoKey, Opening]),
    ("wrapped key", &[AtKms, Opening], &[Opening]),
    ("content type", &[Layout], &[Layout]),
    ("reserved bytes", &[Layout], &[Layout]),
    ("IV length", &[Layout], &[Layout]),
    ("frame length", &[Layout, Opening], &[Layout, Opening]),
    ("header IV", &[Opening], &[Opening]),
    ("commitment key", &[Opening], &[Opening]),
    ("header tag", &[Opening], &[Opening]),
    ("final frame mark", &[Layout], &[Layout]),
    ("sequence number", &[Layout], &[Layout]),
    ("frame IV", &[Opening], &[Opening]),
    ("content length", &[Layout], &[Layout]),
    ("content", &[Opening], &[Opening]),
    ("tag", &[Opening], &[Opening]),
    ("signature length", &[Layout], &[Layout]),
    ("signature", &[Opening], &[Opening]),
];

/// By which steps a change to a field may be refused.
pub(super) fn refused_by(field: &str, kms: Kms) -> &'static [Step] {
    let row = REFUSED_BY.iter().find(|(name, ..)| *name == field);
    let (_, faithful, credulous) = row.unwrap_or_else(|| panic!("the table has no {field}"));
    match kms {
        Kms::Faithful => faithful,
        Kms::Credulous => credulous,
    }
}

/// A code of each layout that the worker accepts; the others of the fixtures differ from these in their texts alone.
const OF_EACH_LAYOUT: [&str; 7] = [
    "six digits",
    "further context around Cognito's",
    "a password over several frames",
    "a single block instead of frames",
    "an emulator's code",
    "an emulator's code with two wrapped keys",
    "a committed suite without signature",
];

fn of_each_layout(maker: &Maker) -> impl Iterator<Item = &Code> {
    maker.codes.iter().filter(|code| OF_EACH_LAYOUT.contains(&code.name.as_str()))
}

/// The message with the field all zeros, all ones, and with one bit changed in each of these bytes of it.
fn changes(message: &[u8], field: &Field, at: impl Iterator<Item = usize>) -> Vec<Vec<u8>> {
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut changed = message.to_vec();
        change(&mut changed[field.range.clone()]);
        changed
    };
    let mut changes: Vec<_> = at.map(|at| with(&|bytes| bytes[at] ^= 1 << (at % 8))).collect();
    changes.push(with(&|bytes| bytes.fill(0)));
    changes.push(with(&|bytes| bytes.fill(0xff)));
    changes.retain(|changed| changed != message);
    changes
}

/// Changes every field of a maker's codes of each layout: in every byte if the code is a plain one of Cognito, else in the
/// first and the last. Returns which steps were seen to refuse which field.
async fn change_every_field(maker: &Maker, kms: Kms) -> BTreeSet<(&'static str, Step)> {
    let mut seen = BTreeSet::new();
    for code in of_each_layout(maker) {
        let message = bytes(code);
        let mut changed = Vec::new();
        for field in fields(&message) {
            let length = field.range.len();
            let all = code.name == "six digits";
            let at = (0..length).filter(|at| all || *at == 0 || at + 1 == length);
            changed.extend(changes(&message, &field, at).into_iter().map(|changed| (field.clone(), changed)));
        }
        let (fields, messages): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
        let steps = Bench::of(maker, code, kms).refuses(&messages).await;
        for (Field { name, range, .. }, step) in fields.into_iter().zip(steps) {
            let is_expected = refused_by(name, kms).contains(&step);
            let maker = &maker.implementation;
            assert!(is_expected, "{name} at {range:?} of {} by {maker}: {step:?}, KMS {kms:?}", code.name);
            seen.insert((name, step));
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_change_to_any_field_of_a_code_from_python_is_refused() {
    for kms in [Kms::Faithful, Kms::Credulous] {
        let seen = change_every_field(&python(), kms).await;
        let names = REFUSED_BY.iter().map(|(name, ..)| *name);
        let listed = names.flat_map(|name| refused_by(name, kms).iter().map(move |step| (name, *step)));
        assert_eq!(seen, listed.collect(), "each step of the table is there because it was seen");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_to_any_field_of_a_code_from_javascript_is_refused() {
    for kms in [Kms::Faithful, Kms::Credulous] {
        change_every_field(&javascript(), kms).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_to_any_field_of_a_code_of_ours_is_refused() {
    for kms in [Kms::Faithful, Kms::Credulous] {
        change_every_field(&sealpost(), kms).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_cut_off_at_any_length_or_lengthened_is_refused() {
    for maker in makers() {
        for code in of_each_layout(&maker) {
            let bench = Bench::of(&maker, code, Kms::Credulous);
            let message = bytes(code);
            let mut changed: Vec<_> = (0..message.len()).map(|length| message[..length].to_vec()).collect();
            changed.push(message[1..].to_vec());
            for more in [&[0][..], &[0xff; 16], &message] {
                changed.push([&message, more].concat());
                changed.push([more, &message].concat());
            }
            let steps = bench.refuses(&changed).await;
            assert!(steps.iter().all(|step| *step == Layout), "{} of {}: {steps:?}", code.name, maker.implementation);
        }
    }
}
