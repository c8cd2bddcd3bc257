//! The configured rules: which answers mean what.

use std::ops::RangeInclusive;

use serde_json::json;
use shared::settings::schema::{one_or_list, text_like};
use shared::settings::{Faults, Key, Schema, Section, Shape, Value, did_you_mean, key};

use super::pointer::Pointer;
use super::reading::{Reading, error_code};
use crate::provider::OutcomeCode;
use crate::provider::failure::Failure;

/// One of `rules`: all its conditions must hold.
pub(super) struct Rule {
    /// Empty: any status.
    status: Vec<RangeInclusive<u16>>,
    /// Empty: any error code.
    error_code: Vec<OutcomeCode>,
    content: Option<(Place, Test)>,
    pub(super) class: Class,
}

/// What a rule makes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Accepted,
    Failed(Failure),
}

/// What is tested: the value at a pointer, or the whole answer as a text.
enum Place {
    Pointer(Pointer),
    Whole,
}

/// Texts are compared exactly; a number is compared as it is written, so 0 equals "0".
enum Test {
    OneOf(Vec<String>),
    StartsWith(String),
    Contains(String),
    Exists(bool),
}

const CLASSES: [(&str, Class); 6] = [
    ("accepted", Class::Accepted),
    ("transient", Class::Failed(Failure::Transient)),
    ("unknown", Class::Failed(Failure::Unknown)),
    ("recipient_permanent", Class::Failed(Failure::RecipientPermanent)),
    ("provider_permanent", Class::Failed(Failure::ProviderPermanent)),
    ("fraud_blocked", Class::Failed(Failure::FraudBlocked)),
];

impl Rule {
    pub(super) fn matches(&self, answer: &Reading<'_>) -> bool {
        let status = self.status.is_empty() || self.status.iter().any(|range| range.contains(&answer.status));
        let error_code = || self.error_code.is_empty() || answer.code().is_some_and(|it| self.error_code.contains(it));
        let content = || self.content.as_ref().is_none_or(|(place, test)| test.holds(place, answer));
        status && error_code() && content()
    }

    pub(super) fn uses_error_code(&self) -> bool {
        !self.error_code.is_empty()
    }

    /// Reads a rule; None when anything is wrong with it, which is then in `faults`.
    pub(super) fn read(mut section: Section<'_>, faults: &mut Faults) -> Option<Self> {
        const CLASS: Key = key("class", "What such an answer means for the message.");
        const STATUS: Key = key("status", "HTTP statuses: 429, \"5xx\", \"400-499\", or a list of such.");
        const ERROR_CODE: Key = key("error_code", "Error codes of the gateway, in small or capital letters.");
        let mut own = Faults::default();
        let missing = format!("a rule needs a class; {}", did_you_mean("", &CLASSES.map(|it| it.0)));
        section.require(CLASS.name(), missing, &mut own);
        let class = section.word(CLASS, &CLASSES, "is no class of outcomes", &mut own);
        let status = section.value(STATUS, || one_or_list(status_schema()));
        let status = status.map(|value| list_of(&value, statuses, &mut own)).unwrap_or_default();
        let error_code = section.value(ERROR_CODE, || one_or_list(scalar_schema()));
        let error_code = error_code.map(|value| list_of(&value, code, &mut own)).unwrap_or_default();
        let content = content(&mut section, &mut own);
        if own.is_empty() && status.is_empty() && error_code.is_empty() && content.is_none() {
            section.fault("a rule needs a condition: status, error_code, or a test of the answer", &mut own);
        }
        section.finish(&mut own);
        let sound = own.is_empty();
        faults.extend(own);
        let class = class.filter(|_| sound)?;
        // That a message was accepted is said by a success: an error page may repeat anything.
        let status = if status.is_empty() && class == Class::Accepted { vec![200..=299] } else { status };
        Some(Self { status, error_code, content, class })
    }
}

fn content(section: &mut Section<'_>, faults: &mut Faults) -> Option<(Place, Test)> {
    const POINTER: Key =
        key("pointer", "JSON pointer to the value that is tested; unset: the whole answer, as a text.");
    const EQUALS: Key = key("equals", "The value is this one.");
    const ONE_OF: Key = key("one_of", "The value is one of these.");
    const STARTS_WITH: Key = key("starts_with", "The value begins like this.");
    const CONTAINS: Key = key("contains", "The value has this in it.");
    const EXISTS: Key = key("exists", "Whether there is a value other than null.");
    let has_pointer = section.has(POINTER.name());
    let pointer = section.parsed(POINTER, Pointer::schema, Pointer::parse, faults);
    let equals = section.value(EQUALS, scalar_schema);
    let equals = equals.and_then(|value| scalar(&value, faults)).map(|text| vec![text]);
    let one_of = section.value(ONE_OF, || one_or_list(scalar_schema()));
    let one_of = one_of.map(|value| list_of(&value, scalar, faults));
    let tests = [
        equals.map(Test::OneOf),
        one_of.map(Test::OneOf),
        section.text(STARTS_WITH, faults).map(Test::StartsWith),
        section.text(CONTAINS, faults).map(Test::Contains),
        section.flag(EXISTS, faults).map(Test::Exists),
    ];
    let mut tests = tests.into_iter().flatten();
    let test = tests.next();
    let mut fault = |message: &str| {
        section.fault(message, faults);
        None
    };
    match (test, pointer) {
        _ if tests.next().is_some() => {
            fault("a rule has one test: remove all but one of equals, one_of, starts_with, contains and exists")
        }
        (None, Some(_)) => fault("a pointer needs a test: equals, one_of, starts_with, contains or exists"),
        (Some(Test::Exists(_)), None) if !has_pointer => fault("exists needs a pointer: it says what exists"),
        (Some(test), Some(pointer)) => Some((Place::Pointer(pointer), test)),
        (Some(test), None) => Some((Place::Whole, test)),
        (None, None) => None,
    }
}

impl Test {
    fn holds(&self, place: &Place, answer: &Reading<'_>) -> bool {
        let text = match (self, place) {
            // What is not JSON has neither something there nor nothing.
            (Self::Exists(expected), Place::Pointer(pointer)) => {
                return answer.json.is_some_and(|json| json.has(pointer) == *expected);
            }
            (_, Place::Pointer(pointer)) => answer.json.and_then(|json| json.text(pointer)),
            (_, Place::Whole) => answer.whole(),
        };
        text.is_some_and(|text| match self {
            Self::OneOf(values) => values.iter().any(|value| value == text.as_str()),
            Self::StartsWith(beginning) => text.starts_with(beginning),
            Self::Contains(part) => text.contains(part),
            Self::Exists(expected) => *expected,
        })
    }
}

/// A list, or one member that stands for a list of one.
fn list_of<T>(value: &Value<'_>, read: impl Fn(&Value<'_>, &mut Faults) -> Option<T>, faults: &mut Faults) -> Vec<T> {
    match value.shape() {
        Shape::List(members) if members.is_empty() => {
            value.fault("is empty, so that nothing could ever match", faults);
            Vec::new()
        }
        Shape::List(members) => members.iter().filter_map(|member| read(member, faults)).collect(),
        Shape::Text(_) | Shape::Integer(_) | Shape::Float(_) | Shape::Flag(_) | Shape::Table(_) | Shape::Other => {
            read(value, faults).into_iter().collect()
        }
    }
}

/// What [`scalar`] reads.
fn scalar_schema() -> Schema {
    json!({ "type": ["string", "integer", "boolean"] })
}

fn scalar(value: &Value<'_>, faults: &mut Faults) -> Option<String> {
    match value.shape() {
        Shape::Text(text) => Some(text.to_owned()),
        Shape::Integer(number) => Some(number.to_string()),
        Shape::Flag(flag) => Some(flag.to_string()),
        Shape::Float(_) | Shape::List(_) | Shape::Table(_) | Shape::Other => {
            value.fault("must be a text, a whole number, true or false", faults);
            None
        }
    }
}

fn code(value: &Value<'_>, faults: &mut Faults) -> Option<OutcomeCode> {
    let code = scalar(value, faults)?;
    let parsed = error_code(&code);
    if parsed.is_none() {
        value.fault("can be no error code: at most 32 letters, digits, - and _", faults);
    }
    parsed
}

/// What [`statuses`] reads.
fn status_schema() -> Schema {
    json!({ "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 }, text_like("xx$|-", "")] })
}

/// `429`, `"5xx"` or `"400-499"`.
fn statuses(value: &Value<'_>, faults: &mut Faults) -> Option<RangeInclusive<u16>> {
    let known = 100..=599;
    let range = match value.shape() {
        Shape::Integer(status) => u16::try_from(status).ok().map(|status| status..=status),
        Shape::Text(text) => match text.strip_suffix("xx") {
            Some(class) => class.parse().ok().filter(|class| (1..=5).contains(class)).map(|class: u16| {
                let first = class * 100;
                first..=first + 99
            }),
            None => text.split_once('-').and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?)),
        },
        Shape::Float(_) | Shape::Flag(_) | Shape::List(_) | Shape::Table(_) | Shape::Other => None,
    };
    let sound = range.filter(|range| known.contains(range.start()) && known.contains(range.end()) && !range.is_empty());
    if sound.is_none() {
        value.fault(
            "must be an HTTP status such as 429, a class such as \"5xx\", or a range such as \"400-499\"",
            faults,
        );
    }
    sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::settings::{Document, key};

    fn read(rule: &str) -> Result<Rule, String> {
        let text = format!("[[provider]]\nrules = [\n{{ {rule} }},\n]\n");
        let (document, mut faults) = Document::parse(&text);
        let mut block = document.root().sections(key("provider", ""), &mut faults).pop().expect("one block");
        let section = block.sections(key("rules", ""), &mut faults).pop().expect("one rule");
        let rule = Rule::read(section, &mut faults);
        faults.or(()).map(|()| rule.expect("no fault, so a rule")).map_err(|faults| faults.to_string())
    }

    fn matching(rule: &str, answers: &[(u16, &str)]) -> Vec<bool> {
        let rule = read(&format!("{rule}, class = \"unknown\"")).expect("sound");
        let codes = [Pointer::parse("/code").expect("a pointer")];
        answers
            .iter()
            .map(|(status, body)| rule.matches(&Reading::of(*status, Some(body.as_bytes()), &codes)))
            .collect()
    }

    #[test]
    fn a_status_is_a_number_a_class_a_range_or_a_list_of_them() {
        let answers = [(200, ""), (299, ""), (404, ""), (429, ""), (503, "")];
        for (status, expected) in [
            ("200", [true, false, false, false, false]),
            ("\"2xx\"", [true, true, false, false, false]),
            ("\"299-404\"", [false, true, true, false, false]),
            ("[429, \"5xx\"]", [false, false, false, true, true]),
        ] {
            assert_eq!(matching(&format!("status = {status}"), &answers), expected, "{status}");
        }
    }

    #[test]
    fn a_pointer_is_tested_in_the_answer() {
        let answers = [
            (200, r#"{"s":{"id":7,"name":"REJECTED_DND"},"code":"E1"}"#),
            (400, r#"{"s":{"id":"7"},"code":null}"#),
            (200, r#"{"s":null}"#),
            (200, "s id 7"),
        ];
        for (rule, expected) in [
            ("pointer = \"/s/id\", equals = 7", [true, true, false, false]),
            ("pointer = \"/s/id\", equals = \"7\", status = 200", [true, false, false, false]),
            ("pointer = \"/s/id\", one_of = [6, 8]", [false, false, false, false]),
            ("pointer = \"/s/name\", starts_with = \"REJECTED_\"", [true, false, false, false]),
            ("pointer = \"/s/name\", contains = \"DND\"", [true, false, false, false]),
            ("pointer = \"/s\", exists = true", [true, true, false, false]),
            ("pointer = \"/s\", exists = false", [false, false, true, false]),
            ("error_code = [\"e1\", 5]", [true, false, false, false]),
            ("error_code = \"E1\", pointer = \"/s/id\", equals = 7", [true, false, false, false]),
            ("error_code = \"E1\", pointer = \"/s/id\", equals = 8", [false, false, false, false]),
        ] {
            assert_eq!(matching(rule, &answers), expected, "{rule}");
        }
    }

    #[test]
    fn without_a_pointer_the_whole_answer_is_tested() {
        let answers = [(200, "OK 1\n"), (200, ""), (200, "ERR: 302 limit"), (200, " \r\n")];
        for (rule, expected) in [
            ("equals = \"OK 1\"", [true, false, false, false]),
            ("equals = \"\"", [false, true, false, true]),
            ("starts_with = \"OK\"", [true, false, false, false]),
            ("contains = \"302\"", [false, false, true, false]),
        ] {
            assert_eq!(matching(rule, &answers), expected, "{rule}");
        }
    }

    #[test]
    fn an_answer_too_long_to_be_read_has_a_status_only() {
        let reading = Reading::of(200, None, &[]);
        for (rule, expected) in [
            ("status = 200", true),
            ("equals = \"\"", false),
            ("contains = \"\"", false),
            ("pointer = \"/a\", exists = false", false),
        ] {
            let rule = read(&format!("{rule}, class = \"unknown\"")).expect("sound");
            assert_eq!(rule.matches(&reading), expected);
        }
    }

    #[test]
    fn an_accepted_rule_is_for_successes_unless_it_says_otherwise() {
        let body: Option<&[u8]> = Some(b"{\"a\":1}");
        let rule = read("pointer = \"/a\", equals = 1, class = \"accepted\"").expect("sound");
        assert!(rule.matches(&Reading::of(202, body, &[])));
        assert!(!rule.matches(&Reading::of(502, body, &[])));
        let rule = read("pointer = \"/a\", equals = 1, status = 409, class = \"accepted\"").expect("sound");
        assert!(rule.matches(&Reading::of(409, body, &[])));
    }

    #[test]
    fn each_fault_says_what_to_write_instead() {
        let status = "must be an HTTP status such as 429, a class such as \"5xx\", or a range such as \"400-499\"";
        for (rule, fault) in [
            ("status = 200", "a rule needs a class; known here: accepted, transient, unknown, recipient_permanent"),
            ("class = \"accepted\"", "a rule needs a condition: status, error_code, or a test of the answer"),
            ("class = \"unknown\", pointer = \"/a\"", "a pointer needs a test: equals, one_of, starts_with"),
            ("class = \"unknown\", exists = true", "exists needs a pointer"),
            ("class = \"unknown\", equals = 1, contains = \"1\"", "a rule has one test: remove all but one"),
            (
                "class = \"recipient\", status = 200",
                "class in [[provider.rules]] is no class of outcomes; did you mean",
            ),
            ("class = \"unknown\", pointer = \"a\", equals = 1", "pointer in [[provider.rules]] is no JSON pointer"),
            (
                "class = \"unknown\", equal = 1, status = 200",
                "unknown key equal in [[provider.rules]]; did you mean equals?",
            ),
            (
                "class = \"unknown\", equals = [1]",
                "equals in [[provider.rules]] must be a text, a whole number, true or",
            ),
            ("class = \"unknown\", one_of = []", "one_of in [[provider.rules]] is empty, so that nothing could ever"),
            ("class = \"unknown\", one_of = [1, 1.5]", "one_of[1] in [[provider.rules]] must be a text"),
            ("class = \"unknown\", error_code = \"a b\"", "error_code in [[provider.rules]] can be no error code"),
            ("class = \"unknown\", status = 99", &format!("status in [[provider.rules]] {status}")),
            ("class = \"unknown\", status = \"6xx\"", &format!("status in [[provider.rules]] {status}")),
            ("class = \"unknown\", status = [\"499-400\"]", &format!("status[0] in [[provider.rules]] {status}")),
            ("class = \"unknown\", status = true", &format!("status in [[provider.rules]] {status}")),
        ] {
            let shown = read(rule).map(|_| ()).expect_err(fault);
            assert!(shown.contains(fault), "{shown}");
            assert_eq!(shown.lines().count(), 1, "one fault, one line: {shown}");
            assert!(shown.starts_with("line 3, column "), "{shown}");
        }
    }
}
