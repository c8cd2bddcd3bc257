//! The metrics inside the lines, held against CloudWatch's rules for them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use shared::telemetry::{Dimension, Metric, MetricsNamespace};

use crate::every_fact::{KINDS, Material, kind, line_of, line_under, now, read};

/// One number of a line, with the sets of dimensions under which CloudWatch keeps it.
#[derive(Clone, Debug, PartialEq)]
struct Datum {
    metric: String,
    unit: String,
    value: f64,
    sets: Vec<BTreeMap<String, String>>,
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// What CloudWatch takes out of a line; panics where the line breaks a rule of the format.
fn extract(line: &str) -> Vec<Datum> {
    let document = read(line);
    let Some(metadata) = document.get("_aws") else { return Vec::new() };
    assert_eq!(metadata["Timestamp"], json!(now().as_millisecond()), "the clock's time in milliseconds");
    let mut data = Vec::new();
    for directive in list(&metadata["CloudWatchMetrics"]) {
        assert_eq!(directive["Namespace"], "Sealpost");
        let sets = list(&directive["Dimensions"]);
        assert!(!sets.is_empty());
        let sets: Vec<BTreeMap<_, _>> = sets.iter().map(|names| dimensions(&document, list(names))).collect();
        let metrics = list(&directive["Metrics"]);
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let (metric, unit) = (text(&metric["Name"]).to_owned(), text(&metric["Unit"]).to_owned());
            let value = document[&metric].as_f64().unwrap_or_else(|| panic!("{metric} is no number: {line}"));
            data.push(Datum { metric, unit, value, sets: sets.clone() });
        }
    }
    data
}

fn dimensions(document: &Value, names: &[Value]) -> BTreeMap<String, String> {
    assert!(names.len() <= 30);
    let values = names.iter().map(|name| {
        let value = document[text(name)].as_str().unwrap_or_else(|| panic!("{name} is no text: {document}"));
        assert!(!value.is_empty() && value.len() <= 1_024 && value.is_ascii(), "{value}");
        (text(name).to_owned(), value.to_owned())
    });
    values.collect()
}

fn all_data() -> Vec<Datum> {
    let material = Material::new();
    material.facts().iter().flat_map(|fact| extract(&line_of(fact))).collect()
}

fn name(of: impl serde::Serialize) -> String {
    text(&serde_json::to_value(of).expect("serialises")).to_owned()
}

#[test]
fn every_kind_of_fact_is_among_these() {
    let material = Material::new();
    let kinds: BTreeSet<_> = material.facts().iter().map(kind).collect();
    assert_eq!(kinds, (0..KINDS).collect());
}

#[test]
fn every_line_keeps_the_rules_of_the_format_and_says_each_metric_once() {
    let material = Material::new();
    for fact in material.facts() {
        let line = line_of(&fact);
        let data = extract(&line);
        let metrics: BTreeSet<_> = data.iter().map(|datum| datum.metric.as_str()).collect();
        assert_eq!(metrics.len(), data.len(), "a metric twice: {line}");
        let members = read(&line);
        let capitalised =
            members.as_object().expect("an object").keys().filter(|key| key.starts_with(char::is_uppercase));
        let named: BTreeSet<_> = data.iter().flat_map(|datum| datum.sets.iter().flat_map(BTreeMap::keys)).collect();
        for member in capitalised {
            assert!(metrics.contains(member.as_str()) || named.contains(member), "nothing needs {member}: {line}");
            assert_eq!(line.matches(&format!("\"{member}\":")).count(), 1, "a member twice: {line}");
        }
    }
}

#[test]
fn every_metric_is_said_with_its_own_unit_and_dimensions() {
    let data = all_data();
    let known: BTreeSet<_> = Metric::ALL.into_iter().map(name).collect();
    assert_eq!(known.len(), Metric::ALL.len());
    assert_eq!(data.iter().map(|datum| datum.metric.clone()).collect::<BTreeSet<_>>(), known);
    for metric in Metric::ALL {
        let sets = metric.dimension_sets().iter();
        let sets: Vec<BTreeSet<_>> = sets.map(|set| set.iter().copied().map(name).collect()).collect();
        for datum in data.iter().filter(|datum| datum.metric == name(metric)) {
            assert_eq!(datum.unit, name(metric.unit()));
            let said: Vec<BTreeSet<_>> = datum.sets.iter().map(|set| set.keys().cloned().collect()).collect();
            assert_eq!(said, sets, "{}", datum.metric);
        }
    }
}

#[test]
fn every_directive_names_the_namespace_that_was_given() {
    let own = "Sealpost/staging:2";
    let namespace = MetricsNamespace::parse(own).expect("sound");
    let material = Material::new();
    for fact in material.facts() {
        let line = line_under(namespace.clone(), &fact);
        for directive in read(&line)["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            assert_eq!(directive["Namespace"], own, "{line}");
        }
        assert_eq!(line.replace(own, "Sealpost"), line_of(&fact), "nothing else differs");
    }
}

#[test]
fn what_an_alarm_watches_has_a_series_that_needs_no_name_out_of_the_configuration() {
    let watched = [
        (Metric::Accepted, &[][..]),
        (Metric::Delivered, &[]),
        (Metric::DeadLettered, &[]),
        (Metric::AttemptFailed, &[Dimension::Outcome]),
        (Metric::CircuitOpened, &[]),
        (Metric::QueueCallFailed, &[]),
        (Metric::StateCallFailed, &[]),
        (Metric::SecretReadFailed, &[]),
        (Metric::ClaimLost, &[]),
        (Metric::Panics, &[]),
    ];
    for (metric, set) in watched {
        assert!(metric.dimension_sets().contains(&set), "{metric:?}");
    }
}

#[test]
fn the_sets_of_a_metric_are_distinct_and_the_coarsest_come_first() {
    for metric in Metric::ALL {
        let sets = metric.dimension_sets();
        assert!(sets.is_sorted_by_key(|set| set.len()), "{metric:?}");
        assert_eq!(sets.iter().collect::<HashSet<_>>().len(), sets.len(), "{metric:?}");
    }
}

#[test]
fn no_dimension_has_a_value_for_each_message() {
    let allowed = [
        (Dimension::TriggerSource, &["SignUp", "Other"][..]),
        (Dimension::Provider, &["main"]),
        (Dimension::Country, &["FR", "other"]),
        (
            Dimension::Reason,
            &[
                "MalformedEvent",
                "WrongUserPool",
                "QueueUnavailable",
                "key_not_allowed",
                "expired",
                "providers_exhausted",
                "malformed",
                "superseded",
            ],
        ),
        (Dimension::Outcome, &["provider_permanent"]),
        (Dimension::Call, &["DeleteMessage", "ReceiveMessage", "claim", "switches"]),
        (Dimension::Limit, &["per_number"]),
    ];
    let allowed = allowed.map(|(dimension, values)| {
        (name(dimension), values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>())
    });
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (dimension, value) in all_data().into_iter().flat_map(|datum| datum.sets).flatten() {
        said.entry(dimension).or_default().insert(value);
    }
    assert_eq!(said, allowed.into());
}

#[test]
fn a_delivery_is_counted_in_all_by_source_by_provider_and_by_country() {
    let material = Material::new();
    let facts = material.facts();
    let delivered: Vec<_> = facts.iter().map(|fact| extract(&line_of(fact))).filter(|data| data.len() == 3).collect();
    assert_eq!(delivered.len(), 2, "one to a country with a route of its own, one to another");
    for (data, country) in delivered.iter().zip(["FR", "other"]) {
        let set = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let source = set("TriggerSource", "SignUp");
        let sets = vec![BTreeMap::new(), source.clone(), set("Provider", "main"), set("Country", country)];
        let expected = [
            ("Delivered", "Count", 1.0, sets),
            ("TimeToProvider", "Milliseconds", 1_234.567, vec![source.clone()]),
            ("CodeLifetimeLeft", "Milliseconds", 74_074.02, vec![source]),
        ];
        let expected = expected.map(|(metric, unit, value, sets)| Datum {
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            value,
            sets,
        });
        assert_eq!(data[..], expected);
    }
}
