//! Facts as JSON lines, which hold their metrics in CloudWatch's embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>):
//! members in small letters are for the log, capitalised ones for the metrics, and `_aws` says which are which.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::metric::{Dimension, Measured, Metric, Unit};
use super::{Fact, Level, MetricsNamespace, Telemetry};
use crate::{Clock, Timestamp, rfc3339_millis};

/// A line is rarely longer.
const USUAL_LENGTH: usize = 1_024;

/// Facts as JSON lines.
pub struct JsonLines<W> {
    out: Mutex<W>,
    clock: Clock,
    namespace: MetricsNamespace,
}

#[derive(serde::Serialize)]
struct Line<'f> {
    time: String,
    level: Level,
    #[serde(flatten)]
    fact: &'f Fact<'f>,
    #[serde(flatten)]
    embedded: Embedded<'f>,
}

/// What CloudWatch reads: the directives, then each dimension and each number that they name.
struct Embedded<'f> {
    now: Timestamp,
    namespace: &'f MetricsNamespace,
    measured: Measured<'f>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'f> {
    timestamp: i64,
    cloud_watch_metrics: Directives<'f>,
}

/// One for each metric.
struct Directives<'f> {
    namespace: &'f MetricsNamespace,
    measured: &'f Measured<'f>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'f> {
    namespace: &'f MetricsNamespace,
    dimensions: &'static [&'static [Dimension]],
    metrics: [Definition; 1],
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: Metric,
    unit: Unit,
}

impl<W: Write> JsonLines<W> {
    pub fn new(out: W, clock: Clock, namespace: MetricsNamespace) -> Self {
        Self { out: Mutex::new(out), clock, namespace }
    }
}

impl<W: Write + Send> Telemetry for JsonLines<W> {
    fn record(&self, fact: &Fact<'_>) {
        let now = self.clock.now();
        let embedded = Embedded { now, namespace: &self.namespace, measured: fact.measured() };
        let line = Line { time: rfc3339_millis(now), level: fact.level(), fact, embedded };
        let mut json = Vec::with_capacity(USUAL_LENGTH);
        if serde_json::to_writer(&mut json, &line).is_err() {
            return;
        }
        json.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that nobody takes must not stop a delivery.
        let _ = out.write_all(&json).and_then(|()| out.flush());
    }
}

impl Serialize for Embedded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if self.measured.values().next().is_some() {
            let timestamp = self.now.as_millisecond();
            let cloud_watch_metrics = Directives { namespace: self.namespace, measured: &self.measured };
            members.serialize_entry("_aws", &Metadata { timestamp, cloud_watch_metrics })?;
        }
        for (dimension, value) in self.measured.dimensions() {
            members.serialize_entry(&dimension, value)?;
        }
        for (metric, value) in self.measured.values() {
            members.serialize_entry(&metric, &value)?;
        }
        members.end()
    }
}

impl Serialize for Directives<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.measured.values().map(|(metric, _)| Directive {
            namespace: self.namespace,
            dimensions: metric.dimension_sets(),
            metrics: [Definition { name: metric, unit: metric.unit() }],
        }))
    }
}
