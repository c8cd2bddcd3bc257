//! The logs of both programs, as CloudWatch would get them.

use local::lambda::Function;
use serde_json::Value;

use crate::mapping::Named;
use crate::world::{World, accept, accept_traced};

const TRACE: &str = "1-65250495-30b227ef4ea882e709192510";

/// Every line that a program has printed; each must be one JSON object.
fn lines(program: &Function) -> Vec<Value> {
    let output = program.output();
    output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test]
async fn one_id_and_one_trace_join_the_logs_of_both_programs() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    let event = world.sign_up("739214");
    let header = format!("Root={TRACE};Parent=6b522ce06cfce549;Sampled=0");
    accept_traced(&producer, &event, &header).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    world.phone().await;

    let logs: Vec<_> = lines(&producer).into_iter().chain(lines(&worker)).collect();
    let of_trace = logs.iter().filter(|line| line["trace"] == TRACE);
    let of_trace: Vec<_> = of_trace.map(|line| (line["event"].as_str().expect("a text"), &line["id"])).collect();
    let events: Vec<_> = of_trace.iter().map(|(event, _)| *event).collect();
    assert_eq!(events, ["accepted", "decrypted", "attempted", "delivered"]);
    assert!(of_trace.iter().all(|(_, id)| id.is_string() && *id == of_trace[0].1), "{of_trace:?}");

    let counted = |metric: &str| logs.iter().filter(|line| line[metric] == 1 && line["_aws"].is_object()).count();
    assert_eq!((counted("Accepted"), counted("Delivered")), (1, 1));
}

#[tokio::test]
async fn both_programs_keep_their_metrics_under_the_namespace_that_they_are_given() {
    let world = World::new().await;
    let own = [("METRICS_NAMESPACE", "Sealpost/staging")];
    for (changes, expected) in [(&[][..], "Sealpost"), (&own, "Sealpost/staging")] {
        let (producer, worker) = (world.producer_with(changes).await, world.worker_with(changes).await);
        accept(&producer, &world.sign_up("739214")).await;
        assert_eq!(world.round(&worker).await.names(), Named::None);
        world.phone().await;

        for (program, metric) in [(producer, "Accepted"), (worker, "Delivered")] {
            let lines = lines(&program);
            let directives = lines.iter().filter_map(|line| line["_aws"]["CloudWatchMetrics"].as_array()).flatten();
            let directives: Vec<_> = directives.collect();
            assert!(directives.iter().any(|directive| directive["Metrics"][0]["Name"] == metric), "{directives:?}");
            assert!(directives.iter().all(|directive| directive["Namespace"] == expected), "{directives:?}");
        }
    }
}
