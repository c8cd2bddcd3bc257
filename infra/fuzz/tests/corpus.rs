//! Every promise, over the whole corpus and over mutations of it. A file whose name begins with `accepts` is accepted,
//! one with `refuses` is refused; the others were found by libFuzzer and may be either.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::panic::catch_unwind;
use std::path::Path;
use std::{fs, iter};

use fastrand::Rng;

const MUTATIONS: usize = 3_000;
/// Values at which lengths and signs turn.
const EDGES: [u8; 6] = [0, 1, b'"', 0x7f, 0x80, 0xff];

struct Seed {
    name: String,
    input: Vec<u8>,
}

#[test]
fn events_keep_every_promise() {
    keeps_every_promise("event", fuzz::event);
}

#[test]
fn headers_keep_every_promise() {
    keeps_every_promise("header", fuzz::header);
}

#[test]
fn queue_messages_keep_every_promise() {
    keeps_every_promise("queue_message", fuzz::queue_message);
}

#[test]
fn sqs_records_keep_every_promise() {
    keeps_every_promise("sqs_record", fuzz::sqs_record);
}

/// The mutations are the same ones in every run.
fn keeps_every_promise(target: &str, accepts: fn(&[u8]) -> bool) {
    let seeds = corpus_of(target);
    let accepts = |input: &[u8]| {
        catch_unwind(|| accepts(input)).unwrap_or_else(|_| panic!("{target}: broken by {}", input.escape_ascii()))
    };
    for Seed { name, input } in &seeds {
        let accepted = accepts(input);
        assert!(!name.starts_with("accepts") || accepted, "{target}/{name} was refused");
        assert!(!name.starts_with("refuses") || !accepted, "{target}/{name} was accepted");
    }
    let mut random = Rng::with_seed(7);
    let accepted = iter::repeat_with(|| mutation(&seeds, &mut random)).take(MUTATIONS).filter(|it| accepts(it)).count();
    assert!(accepted > MUTATIONS / 50, "{target}: {accepted} mutations were accepted, too few to test what follows");
    assert!(accepted < MUTATIONS * 9 / 10, "{target}: {accepted} mutations were accepted, too many to test refusals");
}

fn corpus_of(target: &str) -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let seed = |path: &Path| Seed {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        input: fs::read(path).unwrap(),
    };
    let mut seeds: Vec<_> = files.map(|file| seed(&file.unwrap().path())).collect();
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    for kind in ["accepts", "refuses"] {
        assert!(seeds.iter().any(|seed| seed.name.starts_with(kind)), "{target}: nothing that it {kind}");
    }
    seeds
}

/// A seed with one to three changes; every other time one that is accepted, with a single one.
fn mutation(seeds: &[Seed], random: &mut Rng) -> Vec<u8> {
    let gentle = random.bool();
    let begin: Vec<_> = seeds.iter().filter(|seed| !gentle || seed.name.starts_with("accepts")).collect();
    let mut input = begin[random.usize(..begin.len())].input.clone();
    let changes = if gentle { 1 } else { random.usize(1..=3) };
    for _ in 0..changes {
        let place = random.usize(..=input.len());
        let length = random.usize(..=8.min(input.len() - place));
        match random.u8(..6) {
            0 if length > 0 => input[place] ^= 1 << random.u8(..8),
            1 if length > 0 => input[place] = EDGES[random.usize(..EDGES.len())],
            2 => input.truncate(place),
            3 => drop(input.drain(place..place + length)),
            4 => {
                let twice = input[place..place + length].to_vec();
                drop(input.splice(place..place, twice));
            }
            _ => {
                let donor = &seeds[random.usize(..seeds.len())].input;
                let from = random.usize(..=donor.len());
                let taken = donor[from..].iter().copied().take(random.usize(..64)).collect::<Vec<_>>();
                drop(input.splice(place..place + length, taken));
            }
        }
    }
    input
}
