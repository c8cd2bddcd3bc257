//! Which time series there can be, each of which CloudWatch charges for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use shared::telemetry::{Dimension, Metric, OTHER_COUNTRIES};
use shared::{DeadLetterReason, TriggerSource};
use worker::{LimitScope, RetryReason};

use crate::doubles::QueueBehaviour;
use crate::messages::{expiring, message, received, record, record_of_text, second, sent, sign_in, to};
use crate::provider_double::{ScriptedProvider, every_behaviour};
use crate::scene::Scene;

const README: &str = include_str!("../../../README.md");

/// The names that come out of the configuration.
struct Deployment {
    providers: &'static [&'static str],
    /// Those that have a route.
    countries: &'static [&'static str],
}

impl Deployment {
    /// All series that there can be, such as `Delivered{Provider=first}`.
    fn series(&self) -> BTreeSet<String> {
        let of_metric =
            |metric: Metric| metric.dimension_sets().iter().flat_map(move |set| self.series_of(metric, set));
        Metric::ALL.into_iter().flat_map(of_metric).collect()
    }

    fn series_of(&self, metric: Metric, set: &[Dimension]) -> Vec<String> {
        let choices = set.iter().fold(vec![Vec::new()], |chosen, dimension| {
            let values = self.values(metric, *dimension);
            let with_each = |chosen: Vec<String>| {
                let last = values.iter().map(|value| format!("{dimension:?}={value}"));
                last.map(move |last| [chosen.clone(), vec![last]].concat()).collect::<Vec<_>>()
            };
            chosen.into_iter().flat_map(with_each).collect()
        });
        choices.into_iter().map(|choice| format!("{metric:?}{{{}}}", choice.join(","))).collect()
    }

    /// Every value that a dimension of this metric can have.
    fn values(&self, metric: Metric, dimension: Dimension) -> Vec<&'static str> {
        match (dimension, metric) {
            (Dimension::TriggerSource, _) => TriggerSource::ALL.map(TriggerSource::as_str).to_vec(),
            (Dimension::Provider, _) => self.providers.to_vec(),
            (Dimension::Country, _) => [self.countries, &[OTHER_COUNTRIES]].concat(),
            (Dimension::Reason, Metric::DeadLettered) => DeadLetterReason::ALL.map(DeadLetterReason::as_str).to_vec(),
            (Dimension::Reason, Metric::Retried) => RetryReason::ALL.map(RetryReason::as_str).to_vec(),
            (Dimension::Reason, Metric::NotEnqueued) => the_producers_errors(|error| error.starts_with("Queue")),
            (Dimension::Reason, Metric::Rejected) => the_producers_errors(|error| !error.starts_with("Queue")),
            (Dimension::Outcome, _) => {
                vec!["transient", "unknown", "recipient_permanent", "provider_permanent", "fraud_blocked"]
            }
            (Dimension::Call, Metric::QueueCallFailed) => {
                vec!["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "SendMessage"]
            }
            (Dimension::Call, Metric::StateCallFailed) => {
                vec!["look", "claim", "update", "newest", "count", "switches"]
            }
            (Dimension::Limit, _) => LimitScope::ALL.map(LimitScope::as_str).to_vec(),
            (Dimension::Reason | Dimension::Call, _) => panic!("{metric:?} has no list of {dimension:?}s"),
        }
    }
}

/// The error types in README's table of them.
fn the_producers_errors(are_meant: fn(&str) -> bool) -> Vec<&'static str> {
    let (_, from_table) = README.split_once("| error type | meaning |\n|---|---|\n").expect("README has the table");
    let (table, _) = from_table.split_once("\n\n").expect("the table ends");
    let cells = table.lines().filter_map(|row| row.split('|').nth(1));
    let errors = cells.flat_map(|cell| cell.split(',')).map(|error| error.trim().trim_matches('`'));
    errors.filter(|error| are_meant(error)).collect()
}

#[test]
fn readme_says_how_many_there_are_at_most() {
    let count = |providers, countries| Deployment { providers, countries }.series().len();
    let fixed = count(&[], &[]);
    assert_eq!(count(&["first"], &[]) - fixed, 8);
    assert_eq!(count(&[], &["FR"]) - fixed, 1);
    let words: Vec<_> = README.split_whitespace().collect();
    let sentence = format!(
        "at most {fixed} metrics, eight more for each provider, and one for each country that `[route.country]` names"
    );
    assert!(words.join(" ").contains(&sentence), "{sentence}");
}

/// Messages of many kinds to many countries, of which no two have the same id.
fn messages() -> Vec<Value> {
    let sources = ["SignUp", "AdminCreateUser", "SomethingNew", "ForgotPassword"];
    let numbers = ["+33639980001", "+61491570156", "+12065550100", "+447700900123", "+10000000000"];
    let all = sources.into_iter().flat_map(|source| numbers.map(|number| (source, number)));
    let mut records: Vec<_> =
        (0..).zip(all).map(|(n, (source, to_number))| record(n, &to(to_number, message(n, source)))).collect();
    records.push(sent(second(-100_000), received(100, record(50, &sign_in(50)))));
    records.push(record(51, &expiring(second(-1), sign_in(51))));
    records.push(record_of_text(52, "junk"));
    records
}

#[tokio::test(start_paused = true)]
async fn no_dimension_grows_with_the_messages() {
    let deployment = Deployment { providers: &["first", "second"], countries: &["FR"] };
    let mut metrics = BTreeSet::new();
    for behaviour in every_behaviour() {
        for queue in [QueueBehaviour::Works, QueueBehaviour::Refuses] {
            let providers = ["first", "second"].map(|name| ScriptedProvider::named(name, [behaviour.clone()]));
            let scene = Scene::configured("[route.country]\nFR = [\"first\"]\n", providers);
            scene.queue.dead_lettering_becomes(queue);
            scene.queue.postponing_becomes(queue);
            scene.queue.deleting_becomes(queue);
            scene.receive(&messages()).await;
            scene.queue.arrive(messages());
            scene.serve_for(Duration::from_secs(1)).await;
            metrics.extend(scene.facts.metrics());
        }
    }
    let unforeseen: Vec<_> = metrics.difference(&deployment.series()).cloned().collect();
    assert_eq!(unforeseen, Vec::<String>::new());
    assert!(metrics.len() > 40, "only {} of them: {metrics:?}", metrics.len());
}
