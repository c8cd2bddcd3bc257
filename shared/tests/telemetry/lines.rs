//! The lines as a log.

use std::collections::BTreeSet;

use crate::every_fact::{ID, Material, TRACE, line_of, read};

#[test]
fn a_fact_is_one_json_line_without_secrets() {
    let material = Material::new();
    assert_eq!(
        line_of(&material.facts()[0]),
        "{\"time\":\"2026-11-23T12:00:00.123Z\",\"level\":\"info\",\"event\":\"accepted\",\
         \"id\":\"9b1cf0005fcf859edf9c9e55052be80f\",\"trace\":\"1-65250495-30b227ef4ea882e709192510\",\
         \"trigger_source\":\"SignUp\",\"user_pool\":\"eu-west-1_UVcwvZ1E8\",\"to\":\"+1…00\",\
         \"sealed_code\":\"AYADeJsc…\",\"took_ms\":1.234,\
         \"_aws\":{\"Timestamp\":1795435200123,\"CloudWatchMetrics\":[{\"Namespace\":\"Sealpost\",\
         \"Dimensions\":[[],[\"TriggerSource\"]],\"Metrics\":[{\"Name\":\"Accepted\",\"Unit\":\"Count\"}]}]},\
         \"TriggerSource\":\"SignUp\",\"Accepted\":1}\n"
    );
    for fact in material.facts() {
        let line = line_of(&fact);
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
        assert!(!line.contains("12065550100"), "{line}");
    }
}

#[test]
fn every_fact_about_a_message_names_it_and_its_trace() {
    let about_none = [
        "circuit_changed",
        "receive_failed",
        "draining",
        "drained",
        "panicked",
        "notice",
        "switched",
        "state_call_failed",
        "secret_changed",
        "secret_read_failed",
    ]
    .map(str::to_owned);
    let material = Material::new();
    let mut nameless = BTreeSet::new();
    for fact in material.facts() {
        let line = read(&line_of(&fact));
        let event = line["event"].as_str().expect("a text").to_owned();
        match (line.get("id"), line.get("trace")) {
            (Some(id), Some(trace)) => assert_eq!((id, trace), (&ID.into(), &TRACE.into())),
            (None, None) => drop(nameless.insert(event)),
            // An event that could not be read up to its code, and one that came without a trace.
            (None, Some(_)) | (Some(_), None) => assert_eq!(event, "rejected"),
        }
    }
    assert_eq!(nameless, about_none.into());
}
