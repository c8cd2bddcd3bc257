//! What [`Destination`] says of a number is what the worker does with it.

use serde_json::Value;
use shared::{DeadLetterReason, PhoneNumber};
use worker::{Destination, Switches, Way};

use crate::messages::{beginning, record, sign_in, to};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::{Scene, file};

const PROVIDERS: [&str; 3] = ["first", "second", "third"];

const CONFIGURATIONS: [&str; 4] = [
    "",
    "[route]\ndefault = [\"second\", \"first\"]\nallow_fixed_lines = false\n\
     [route.country]\nIN = [\"third\"]\nGB = [\"first\"]\nKP = []\n001 = []\n",
    "[route]\ndefault = []\n[route.country]\nFR = [\"third\", \"second\"]\nUS = []\n",
    "[[test_number]]\nnumber = \"+447700900123\"\nuntil = \"2026-11-23\"\n\
     [[test_number]]\nnumber = \"+12065550100\"\nuntil = \"2026-11-22\"\n",
];

/// One of each kind, of several countries, of none, and impossible ones.
const NUMBERS: [&str; 24] = [
    "+12065550100",
    "+447400123456",
    "+33639980001",
    "+919800000000",
    "+4407400123456",
    "+8501921234567",
    "+447700900123",
    "+10000000000",
    "+9990000000",
    "+1206555010",
    "+442079460958",
    "+493012345678",
    "+445612345678",
    "+18005550199",
    "+448001234567",
    "+80012345678",
    "+19002345678",
    "+979123456789",
    "+491801234567",
    "+447012345678",
    "+447640123456",
    "+445512345678",
    "+33999999999",
    "+390612345678",
];

/// The numbers of above, and others of E.164's shape.
fn numbers() -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(7);
    let others = std::iter::repeat_with(move || {
        let length = random.usize(6..15);
        let digits: String = std::iter::repeat_with(|| random.digit(10)).take(length).collect();
        format!("+{}{digits}", random.u8(1..10))
    });
    NUMBERS.iter().map(|number| (*number).to_owned()).chain(others.take(200)).collect()
}

/// To whom a letter was.
fn addressee(body: &str) -> String {
    let body: Value = serde_json::from_str(body).expect("JSON");
    body["event"]["request"]["userAttributes"]["phone_number"].as_str().expect("a number").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_found_exactly_where_the_worker_sends() {
    for sections in CONFIGURATIONS {
        let file = file(sections, &PROVIDERS);
        let scene = Scene::configured(sections, PROVIDERS.map(|name| ScriptedProvider::named(name, [accepts()])));
        let records: Vec<_> = (0..).zip(numbers()).map(|(n, number)| record(n, &to(&number, sign_in(n)))).collect();
        for batch in records.chunks(10) {
            assert_eq!(scene.receive(batch).await, [""; 0]);
        }
        let letters: Vec<_> = scene.queue.letters();
        let letters: Vec<_> = letters.iter().map(|it| (addressee(&it.body), it.reason, it.detail.as_str())).collect();
        let (mut refused, mut routed) = (0, 0);
        for written in numbers() {
            let number = PhoneNumber::parse(&written).expect("E.164 shape");
            let now = beginning();
            let found = Destination::find(&number, &file.route, &file.test_numbers, &Switches::default(), now);
            let letter: Option<(DeadLetterReason, String)> = letters
                .iter()
                .find(|(to, ..)| *to == written)
                .map(|(_, reason, detail)| (*reason, (*detail).to_owned()));
            let asked: Vec<_> = (0..PROVIDERS.len())
                .filter(|index| scene.providers[*index].requests().iter().any(|request| request.to == written))
                .collect();
            let expected = match &found {
                Ok(Destination { way: Way::Route(providers), .. }) => (vec![providers[0]], None),
                Ok(Destination { way: Way::TestNumber, .. }) => (vec![], None),
                Err(refusal) => (vec![], Some((refusal.reason(), refusal.to_string()))),
            };
            assert_eq!((asked, letter), expected, "{written} with {sections}");
            if found.is_ok() { routed += 1 } else { refused += 1 }
        }
        assert!(routed > 0 && refused > 0, "{routed} routed, {refused} refused with {sections}");
    }
}
