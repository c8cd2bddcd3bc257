//! What the parser takes, no editor marks; and plain mistakes are marked.

use std::cell::Cell;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::samples::{in_full, of_readme};
use super::{marked, parsed, validator};

/// Each with the piece of the sample that it takes the place of.
const MISTAKES: [(&str, &str); 30] = [
    ("name = \"twilio-main\"", "name = \"Twilio Main\""),
    ("name = \"twilio-main\"", "nam = \"twilio-main\""),
    ("kind = \"twilio\"", "kind = \"twilo\""),
    ("kind = \"twilio\"", ""),
    ("account_sid = \"${env:TWILIO_ACCOUNT_SID}\"", "account_sid = \"ACx\""),
    ("account_sid = \"${env:TWILIO_ACCOUNT_SID}\"", ""),
    ("auth_token = \"${env:TWILIO_AUTH_TOKEN}\"", "auth_token = \"written in the file\""),
    ("auth_token = \"${env:TWILIO_AUTH_TOKEN}\"", "auth_token = \"${ENV:TWILIO_AUTH_TOKEN}\""),
    ("from = \"+12065550199\"", "from = \"a name too long\""),
    ("from = \"+12065550199\"", "from = 12065550199"),
    ("base_url = \"https://api.twilio.com\"", "base_url = \"api.twilio.com\""),
    ("discard_content = false", "discard_content = \"no\""),
    ("timeout = \"8s\"", "timeout = 8"),
    ("default = [\"twilio-main\"]", "default = \"twilio-main\""),
    ("KP = []", "UK = []"),
    ("KP = []", "KP = \"twilio-main\""),
    ("sign_up = \"24h\"", "sign_up = \"24\""),
    ("sign_up = \"24h\"", "sing_up = \"24h\""),
    ("[lifetime.client.1example23456789]", "[lifetime.clients.1example23456789]"),
    ("horizon = \"6h\"", "horizon = true"),
    ("per_number = \"20/1h\"", "per_number = \"20 an hour\""),
    ("number_key = \"${env:NUMBER_KEY}\"", "number_key = \"0123456789abcdef0123456789abcdef\""),
    ("GB = \"1000/1h\"", "UK = \"1000/1h\""),
    ("unreachable = \"allow\"", "unreachable = \"wait\""),
    ("number = \"+447700900123\"", "number = \"07700 900123\""),
    ("until = \"2026-12-31\"", "until = \"tomorrow\""),
    ("until = \"2026-12-31\"", ""),
    ("brand = \"Example\"", "brand = \"A brand that is too long for an SMS\""),
    ("keep_attributes = []", "keep_attributes = \"locale\""),
    ("[privacy]", "[private]"),
];

const MISTAKES_OF_GATEWAYS: [(&str, &str); 8] = [
    ("base_url = \"https://sms.example.com\"", ""),
    ("method = \"POST\"", "method = \"SEND\""),
    ("path = \"/v1/messages\"", "path = \"v1/messages\""),
    ("[provider.json]", "[provider.body]"),
    ("message_id = \"/messages/0/id\"", "message_id = \"messages.0.id\""),
    ("class = \"accepted\"", "class = \"success\""),
    ("status = 409", "status = 4090"),
    ("pointer = \"/error/detail\", contains", "pointer = \"/error/detail\", includes"),
];

#[test]
fn plain_mistakes_are_refused_and_marked() {
    let validator = validator();
    let [sample, gateway] = of_readme().map(in_full);
    let of_sample = MISTAKES.iter().map(|mistake| (&sample, mistake));
    let of_gateway = MISTAKES_OF_GATEWAYS.iter().map(|mistake| (&gateway, mistake));
    for (sample, (right, wrong)) in of_sample.chain(of_gateway) {
        assert!(sample.contains(right), "{right}");
        let text = sample.replacen(right, wrong, 1);
        assert!(parsed(&text).is_err(), "the parser takes {wrong} for {right}");
        assert!(!marked(&validator, &text).is_empty(), "no editor marks {wrong} for {right}");
    }
}

/// A configuration with everything in it.
static WHOLE: LazyLock<Value> = LazyLock::new(|| {
    let [mut sample, gateway] = of_readme().map(|text| toml::from_str::<Value>(&in_full(text)).expect("TOML"));
    let providers = sample["provider"].as_array_mut().expect("providers");
    providers.extend(gateway["provider"].as_array().expect("providers").clone());
    sample
});

/// The ways to every value in a tree.
fn ways(tree: &Value) -> Vec<Vec<String>> {
    let below: Vec<(String, &Value)> = match tree {
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(members) => members.iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let further = |(step, value): (String, &Value)| {
        let deeper = ways(value).into_iter().map(|way| [vec![step.clone()], way].concat());
        [vec![step.clone()]].into_iter().chain(deeper).collect::<Vec<_>>()
    };
    below.into_iter().flat_map(further).collect()
}

fn at<'v>(value: &'v mut Value, way: &[String]) -> &'v mut Value {
    way.iter().fold(value, |value, step| match step.parse::<usize>() {
        Ok(index) if value.is_array() => &mut value[index],
        Ok(_) | Err(_) => &mut value[step.as_str()],
    })
}

/// One thing that an operator may do to one value.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    /// The key gets another name.
    Rename(&'static str),
    /// The table gets a further key.
    Add(&'static str, Value),
}

fn apply(whole: &mut Value, way: &[String], change: Change) {
    let (last, above) = way.split_last().expect("a way");
    let (parent, step) = (at(whole, above), last.as_str());
    match (change, parent) {
        (Change::Replace(new), parent) => *at(parent, std::slice::from_ref(last)) = new,
        (Change::Remove, Value::Object(entries)) => drop(entries.remove(step)),
        (Change::Rename(name), Value::Object(entries)) => {
            if let Some(value) = entries.remove(step) {
                entries.insert(name.to_owned(), value);
            }
        }
        (Change::Add(name, value), Value::Object(entries)) => drop(entries.insert(name.to_owned(), value)),
        (Change::Remove, Value::Array(members)) => drop(members.remove(step.parse().expect("an index"))),
        (Change::Add(_, value), Value::Array(members)) => members.push(value),
        (Change::Rename(_), _) | (Change::Remove | Change::Add(..), _) => {}
    }
}

const CASES: u32 = 1_000;

const KEYS: [&str; 24] = [
    "name",
    "from",
    "timeout",
    "base_url",
    "default",
    "GB",
    "US",
    "001",
    "UK",
    "country",
    "sign_up",
    "client",
    "horizon",
    "per_number",
    "in_all",
    "unreachable",
    "brand",
    "number",
    "status",
    "equals",
    "one_of",
    "starts_with",
    "exists",
    "x",
];

const TEXTS: [&str; 48] = [
    "",
    " ",
    "x",
    "20s",
    "3m",
    "1h 30m",
    "90 minutes",
    "PT90M",
    "pt2h",
    "1 day, 02:00:00",
    "1.5h",
    "2h ago",
    "8d",
    "0s",
    "-1s",
    "3 parsecs",
    "20/1h",
    "off",
    "Off",
    "1/90 seconds",
    "0/1h",
    "twilio-main",
    "gateway",
    "twilio",
    "http",
    "allow",
    "hold",
    "park",
    "POST",
    "GET",
    "https://sms.example.com/a?b",
    "HTTPS://Example.COM",
    " https://example.com ",
    "http://127.1",
    "http://example.com",
    "+12065550100",
    "12345",
    "${env:A}",
    "${secret:a/b.c-d}",
    "${env:}",
    "{{to}} {{text}}",
    "/a/0",
    "5xx",
    "400-499",
    "+400-499",
    "2026-12-31",
    "20261231",
    "+002026-12-31T10:00",
];

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => select(&TEXTS[..]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![-1_i64, 0, 1, 99, 100, 200, 599, 600, i64::MAX]).prop_map(Value::from),
        1 => select(vec![0.5_f64, 429.0, -1e300]).prop_map(Value::from),
        1 => "[ -~]{0,40}".prop_map(Value::from),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((select(&KEYS[..]), inner), 0..3).prop_map(|entries| {
                Value::from(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => select(&KEYS[..]).prop_map(Change::Rename),
        2 => (select(&KEYS[..]), value()).prop_map(|(key, value)| Change::Add(key, value)),
    ]
}

/// Writes a tree as TOML, all in one line for each key of the root: texts of printable characters are the same in JSON.
fn toml(root: &Value) -> String {
    fn inline(value: &Value) -> String {
        match value {
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{} = {}", json!(key), inline(value)));
                format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
            Value::Array(members) => format!("[{}]", members.iter().map(inline).collect::<Vec<_>>().join(", ")),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        }
    }
    let entries = root.as_object().into_iter().flatten();
    entries.map(|(key, value)| format!("{} = {}\n", json!(key), inline(value))).collect()
}

/// Whether the parser takes it; what it takes, no editor may mark.
fn is_taken(validator: &Validator, whole: &Value) -> Result<bool, TestCaseError> {
    let text = toml(whole);
    let is_taken = parsed(&text).is_ok();
    if is_taken {
        prop_assert_eq!(marked(validator, &text), [""; 0], "{}", text);
    }
    Ok(is_taken)
}

#[test]
fn no_editor_marks_a_text_that_the_parser_takes() {
    let validator = validator();
    let (mut taken, mut refused) = (0, 0);
    for way in ways(&WHOLE) {
        let mut whole = WHOLE.clone();
        if !at(&mut whole, &way).is_string() {
            continue;
        }
        for text in TEXTS {
            *at(&mut whole, &way) = text.into();
            match is_taken(&validator, &whole).unwrap_or_else(|fault| panic!("{fault}")) {
                true => taken += 1,
                false => refused += 1,
            }
        }
    }
    assert!(taken > 500 && refused > 500, "{taken} taken, {refused} refused");
}

#[test]
fn no_editor_marks_what_the_parser_takes_whatever_is_changed() {
    let validator = validator();
    assert!(is_taken(&validator, &WHOLE).unwrap_or_else(|fault| panic!("{fault}")));
    let taken = Cell::new(0);
    let changes = prop::collection::vec((any::<Index>(), change()), 1..3);
    let outcome = TestRunner::new(ProptestConfig::with_cases(CASES)).run(&changes, |changes| {
        let mut whole = WHOLE.clone();
        for (index, change) in changes {
            let left = ways(&whole);
            if !left.is_empty() {
                apply(&mut whole, index.get::<Vec<_>>(&left), change);
            }
        }
        taken.set(taken.get() + u32::from(is_taken(&validator, &whole)?));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() > CASES / 50 && taken.get() < CASES / 2, "{} of {CASES} taken", taken.get());
}
