//! Alarms, and what they watch.

use std::collections::BTreeSet;

use deployment::Template;
use serde_json::Value;
use shared::DeadLetterReason;
use shared::telemetry::Metric;

const RUNBOOK: &str = include_str!("../../RUNBOOK.md");

fn alarms(template: &Template) -> Vec<(&str, &Value)> {
    template.resources_of("AWS::CloudWatch::Alarm").collect()
}

/// What an alarm of our own metrics reads: the metric with its dimensions, of a calculation each one.
fn own_metrics(alarm: &Value) -> Vec<(&str, Vec<&str>)> {
    let metrics = alarm["Metrics"].as_array().into_iter().flatten();
    let metrics = metrics.filter_map(|metric| metric["MetricStat"].get("Metric")).chain([alarm]);
    let ours = metrics.filter(|metric| metric["Namespace"]["Ref"] == "MetricsNamespace");
    let names = ours.map(|metric| {
        let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
        let dimensions = dimensions.map(|dimension| dimension["Name"].as_str().expect("a name"));
        (metric["MetricName"].as_str().expect("a name"), dimensions.collect())
    });
    names.collect()
}

#[test]
fn each_metric_that_an_alarm_watches_is_one_that_the_programs_write_with_these_dimensions() {
    let template = Template::sealpost();
    let mut watched = 0;
    for (name, alarm) in alarms(&template) {
        for (metric, dimensions) in own_metrics(alarm) {
            let known = Metric::ALL.into_iter().find(|known| format!("{known:?}") == metric);
            let sets = known.unwrap_or_else(|| panic!("{name} watches {metric}")).dimension_sets();
            let names = |set: &[_]| set.iter().map(|dimension| format!("{dimension:?}")).collect::<Vec<_>>();
            assert!(
                sets.iter().any(|set| names(set) == dimensions),
                "{name}: {metric} has no series by {dimensions:?}"
            );
            watched += 1;
        }
    }
    assert_eq!(watched, 15);
}

#[test]
fn the_values_that_alarms_look_for_are_ones_that_the_programs_write() {
    let template = Template::sealpost();
    let value = |alarm: &str| template.properties(alarm)["Dimensions"][0]["Value"].clone();
    assert_eq!(value("KeyNotAllowed"), worker::RetryReason::KeyNotAllowed.as_str());
    assert_eq!(value("ProviderRefusesUs"), worker::provider::Outcome::ProviderPermanent.class());
}

#[test]
fn messages_given_up_counts_reasons_that_there_are() {
    let template = Template::sealpost();
    let alarm = template.properties("MessagesGivenUp")["Metrics"].as_array().expect("metrics");
    assert!(alarm.len() <= 10, "an alarm takes ten metrics");
    let sum = alarm[0]["Expression"].as_str().expect("an expression");
    for metric in &alarm[1..] {
        let reason = metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"].as_str().expect("a reason");
        assert!(DeadLetterReason::parse(reason).is_some(), "{reason}");
        assert!(metric["Id"] == reason && sum.contains(&format!("FILL({reason}, 0)")), "{reason}");
    }
}

#[test]
fn every_alarm_goes_to_the_topic_and_is_quiet_where_nothing_is_measured() {
    let template = Template::sealpost();
    for (name, alarm) in alarms(&template) {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions]["Fn::If"][1][0]["Ref"], "AlarmTopicArn", "{name}");
        }
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 20), "{name}");
    }
}

#[test]
fn every_alarm_is_on_the_dashboard_and_has_its_section_in_the_runbook() {
    let template = Template::sealpost();
    let dashboard = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"][0].as_str().expect("text");
    let headings = RUNBOOK.lines().filter(|line| line.starts_with("##"));
    let sections: BTreeSet<_> = headings.map(|line| line.trim_start_matches('#').trim()).collect();
    for (name, _) in alarms(&template) {
        assert!(dashboard.contains(&format!("\"${{{name}.Arn}}\"")), "{name}");
        assert!(sections.contains(name), "RUNBOOK.md has no section {name}");
    }
}

#[test]
fn the_dashboard_is_json_and_shows_metrics_that_there_are() {
    let template = Template::sealpost();
    let body = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"][0].as_str().expect("text");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let shown = body["widgets"]
        .as_array()
        .expect("widgets")
        .iter()
        .flat_map(|widget| widget["properties"]["metrics"].as_array().into_iter().flatten().map(Value::to_string));
    let searched = shown.filter_map(|metric| {
        let (_, name) = metric.split_once(r#"MetricName=\"#)?;
        Some(name.trim_start_matches(['\\', '"']).split(['\\', '"']).next()?.to_owned())
    });
    let searched: BTreeSet<_> = searched.collect();
    let known: BTreeSet<_> = Metric::ALL.into_iter().map(|metric| format!("{metric:?}")).collect();
    assert!(searched.len() >= 5 && searched.is_subset(&known), "{searched:?}");
}
