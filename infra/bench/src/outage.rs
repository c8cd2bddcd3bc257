//! What Cognito notices of a provider's outage: the producer's latency while the worker struggles.

use std::collections::HashMap;
use std::time::Duration;

use local::fake_twilio::Script;
use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::figures::{Bar, Figure, Row, Unit, milliseconds};
use crate::mapping::Mapping;
use crate::payload::payload;
use crate::subject::{Programs, Running, Subject};
use crate::world::{Transport, World};

const SUBJECT: Subject = Subject::Producer;
/// A hundred sign-ins per second.
const PACE: Duration = Duration::from_millis(10);
/// More than one round can ask of the provider.
const REQUESTS: usize = 20_000;
/// Events before the first that counts.
const WARM_UP: usize = 20;
/// The worst that may pass for the same.
const SAME: f64 = 1.1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Provider {
    Well,
    /// 503 to everything.
    Refusing,
    /// No answer to anything.
    Silent,
}

/// How much of everything.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Per round and kind of outage.
    pub(crate) messages: usize,
}

/// # Errors
/// When the producer fails.
pub(crate) async fn measure(programs: &Programs, plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut latencies: HashMap<Provider, Vec<f64>> = HashMap::new();
    for _round in 0..plan.rounds {
        for provider in [Provider::Well, Provider::Refusing, Provider::Silent] {
            let all = sign_ins(programs, provider, plan.messages).await?;
            latencies.entry(provider).or_default().extend(all);
        }
    }
    let median = |provider| Figure::median(latencies[&provider].clone(), Unit::Milliseconds);
    let slowest = |provider| Figure::percentile(&latencies[&provider], 99.0, Unit::Milliseconds);
    let row =
        |provider: Provider| Row::new(format!("latency, provider {}", provider.in_words()), SUBJECT, median(provider));
    let tail = |provider: Provider| {
        Row::new(format!("latency, 99th percentile, provider {}", provider.in_words()), SUBJECT, slowest(provider))
    };
    let mut rows = vec![row(Provider::Well)];
    for provider in [Provider::Refusing, Provider::Silent] {
        rows.push(row(provider).beside("well", &median(Provider::Well)).with_bar(Bar::TimesAtMost(SAME)));
    }
    rows.push(tail(Provider::Well));
    for provider in [Provider::Refusing, Provider::Silent] {
        rows.push(tail(provider).beside("well", &slowest(Provider::Well)));
    }
    Ok(rows)
}

impl Provider {
    fn in_words(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Refusing => "refusing",
            Self::Silent => "silent",
        }
    }
}

/// The producer's latencies while a worker empties the queue as well as it can.
async fn sign_ins(programs: &Programs, provider: Provider, messages: usize) -> anyhow::Result<Vec<f64>> {
    let world = World::start(Transport::Http).await?;
    match provider {
        Provider::Well => {}
        Provider::Refusing => world.provider_will(REQUESTS, refusal),
        Provider::Silent => {
            world.provider_will(REQUESTS, || Script::Delay(Duration::from_hours(1), Box::new(Script::Accept)));
        }
    }
    let producer = Running::start(SUBJECT, &programs.producer, &world).await?;
    let worker = Running::start(Subject::Worker, &programs.worker, &world).await?;
    let payloads: Vec<_> =
        world.events(messages + WARM_UP)?.chunks(1).map(|event| payload(SUBJECT, event)).collect::<Result<_, _>>()?;
    let mapping = Mapping::of(&world);
    let consuming = async {
        loop {
            if let Err(error) = mapping.pass_on(&worker, Duration::from_secs(1)).await {
                return error;
            }
        }
    };
    let producing = async {
        let mut latencies = Vec::new();
        let mut pace = paced();
        for payload in &payloads {
            pace.tick().await;
            latencies.push(milliseconds(producer.answer(payload).await?));
        }
        Ok(latencies.split_off(WARM_UP))
    };
    tokio::select! {
        latencies = producing => latencies,
        error = consuming => Err(error),
    }
}

fn paced() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

fn refusal() -> Script {
    let body = json!({ "code": 20503, "message": "Service Unavailable", "status": 503 }).to_string();
    Script::Answer { status: 503, headers: Vec::new(), body }
}
