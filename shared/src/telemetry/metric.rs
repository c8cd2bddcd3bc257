//! Which metrics a fact is counted and measured by. Each distinct set of dimension values is a metric that CloudWatch
//! charges for, so only bounded sets are dimensions: never a message, a user or a number.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::fact::{Fact, millis};
use crate::DeadLetterReason;

/// The dimension [`Dimension::Country`] of every country that `[route.country]` does not name.
pub const OTHER_COUNTRIES: &str = "other";

/// A metric; its name is the variant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Metric {
    Accepted,
    Rejected,
    NotEnqueued,
    Delivered,
    Retried,
    DeadLettered,
    Expired,
    Superseded,
    Duplicates,
    LimitReached,
    AttemptFailed,
    CircuitOpened,
    QueueCallFailed,
    StateCallFailed,
    SecretReadFailed,
    ClaimLost,
    Panics,
    ProviderLatency,
    TimeToProvider,
    CodeLifetimeLeft,
}

/// What tells the time series of one metric apart; its name is the variant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Dimension {
    TriggerSource,
    Provider,
    Country,
    Reason,
    Outcome,
    Call,
    Limit,
}

/// CloudWatch's names of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Unit {
    Count,
    Milliseconds,
}

/// One number of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Once,
    Time(Duration),
}

/// The numbers that a fact adds, with the value of each dimension that they have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured<'f> {
    values: [Option<(Metric, Value)>; 3],
    dimensions: [Option<(Dimension, &'f str)>; 3],
}

impl Metric {
    pub const ALL: [Self; 20] = [
        Self::Accepted,
        Self::Rejected,
        Self::NotEnqueued,
        Self::Delivered,
        Self::Retried,
        Self::DeadLettered,
        Self::Expired,
        Self::Superseded,
        Self::Duplicates,
        Self::LimitReached,
        Self::AttemptFailed,
        Self::CircuitOpened,
        Self::QueueCallFailed,
        Self::StateCallFailed,
        Self::SecretReadFailed,
        Self::ClaimLost,
        Self::Panics,
        Self::ProviderLatency,
        Self::TimeToProvider,
        Self::CodeLifetimeLeft,
    ];

    pub fn unit(self) -> Unit {
        match self {
            Self::Accepted
            | Self::Rejected
            | Self::NotEnqueued
            | Self::Delivered
            | Self::Retried
            | Self::DeadLettered
            | Self::Expired
            | Self::Superseded
            | Self::Duplicates
            | Self::LimitReached
            | Self::AttemptFailed
            | Self::CircuitOpened
            | Self::QueueCallFailed
            | Self::StateCallFailed
            | Self::SecretReadFailed
            | Self::ClaimLost
            | Self::Panics => Unit::Count,
            Self::ProviderLatency | Self::TimeToProvider | Self::CodeLifetimeLeft => Unit::Milliseconds,
        }
    }

    /// By which dimensions the metric can be asked for, the coarsest first: each set makes time series of its own.
    ///
    /// CloudWatch adds no series up for an alarm, and whoever writes an alarm before the first deployment knows neither
    /// the providers nor the countries. What alarms are for has therefore a set without them.
    pub fn dimension_sets(self) -> &'static [&'static [Dimension]] {
        match self {
            Self::Expired | Self::Superseded | Self::Duplicates | Self::TimeToProvider | Self::CodeLifetimeLeft => {
                &[&[Dimension::TriggerSource]]
            }
            Self::Accepted => &[&[], &[Dimension::TriggerSource]],
            Self::Rejected | Self::NotEnqueued | Self::Retried => &[&[Dimension::Reason]],
            Self::DeadLettered => &[&[], &[Dimension::Reason]],
            Self::Delivered => &[&[], &[Dimension::TriggerSource], &[Dimension::Provider], &[Dimension::Country]],
            Self::AttemptFailed => &[&[Dimension::Outcome], &[Dimension::Provider, Dimension::Outcome]],
            Self::CircuitOpened => &[&[], &[Dimension::Provider]],
            Self::ProviderLatency => &[&[Dimension::Provider]],
            Self::LimitReached => &[&[Dimension::Limit]],
            Self::QueueCallFailed | Self::StateCallFailed => &[&[], &[Dimension::Call]],
            Self::SecretReadFailed | Self::ClaimLost | Self::Panics => &[&[]],
        }
    }
}

impl Fact<'_> {
    /// The fact's part in the metrics.
    pub(super) fn measured(&self) -> Measured<'_> {
        match self {
            Self::Accepted { trigger_source, .. } => {
                Measured::new([(Metric::Accepted, Value::Once)], [(Dimension::TriggerSource, trigger_source.as_str())])
            }
            Self::Rejected { error, .. } => {
                Measured::new([(Metric::Rejected, Value::Once)], [(Dimension::Reason, *error)])
            }
            Self::NotEnqueued { error, .. } => {
                Measured::new([(Metric::NotEnqueued, Value::Once)], [(Dimension::Reason, *error)])
            }
            Self::Attempted { provider, outcome, took, .. } => {
                let latency = (Metric::ProviderLatency, Value::Time(*took));
                let provider = (Dimension::Provider, *provider);
                if *outcome == "accepted" {
                    Measured::new([latency], [provider])
                } else {
                    let failed = (Metric::AttemptFailed, Value::Once);
                    Measured::new([latency, failed], [provider, (Dimension::Outcome, *outcome)])
                }
            }
            Self::CircuitChanged { provider, open_for: Some(_), .. } => {
                Measured::new([(Metric::CircuitOpened, Value::Once)], [(Dimension::Provider, *provider)])
            }
            Self::Delivered {
                trigger_source,
                provider,
                country,
                country_has_route,
                time_to_provider,
                code_lifetime_left,
                ..
            } => Measured::new(
                [
                    (Metric::Delivered, Value::Once),
                    (Metric::TimeToProvider, Value::Time(*time_to_provider)),
                    (Metric::CodeLifetimeLeft, Value::Time(*code_lifetime_left)),
                ],
                [
                    (Dimension::TriggerSource, trigger_source.as_str()),
                    (Dimension::Provider, *provider),
                    (Dimension::Country, if *country_has_route { *country } else { OTHER_COUNTRIES }),
                ],
            ),
            Self::Retried { reason, .. } => {
                Measured::new([(Metric::Retried, Value::Once)], [(Dimension::Reason, *reason)])
            }
            Self::DeadLettered { reason, trigger_source, .. } => {
                let (dead, by_reason) = ((Metric::DeadLettered, Value::Once), (Dimension::Reason, reason.as_str()));
                let besides =
                    [(DeadLetterReason::Expired, Metric::Expired), (DeadLetterReason::Superseded, Metric::Superseded)];
                let besides = besides.into_iter().find(|(of, _)| of == reason).map(|(_, metric)| metric);
                match (besides, trigger_source) {
                    (Some(besides), Some(source)) => Measured::new(
                        [dead, (besides, Value::Once)],
                        [by_reason, (Dimension::TriggerSource, source.as_str())],
                    ),
                    (Some(_) | None, _) => Measured::new([dead], [by_reason]),
                }
            }
            Self::Duplicate { trigger_source, .. } => {
                let source = trigger_source.as_str();
                Measured::new([(Metric::Duplicates, Value::Once)], [(Dimension::TriggerSource, source)])
            }
            Self::LimitReached { limit, .. } => {
                Measured::new([(Metric::LimitReached, Value::Once)], [(Dimension::Limit, *limit)])
            }
            Self::StateCallFailed { call, .. } => {
                Measured::new([(Metric::StateCallFailed, Value::Once)], [(Dimension::Call, *call)])
            }
            Self::SecretReadFailed { .. } => Measured::new([(Metric::SecretReadFailed, Value::Once)], []),
            Self::ClaimLost { .. } => Measured::new([(Metric::ClaimLost, Value::Once)], []),
            Self::QueueCallFailed { call, .. } => {
                Measured::new([(Metric::QueueCallFailed, Value::Once)], [(Dimension::Call, *call)])
            }
            Self::ReceiveFailed { .. } => {
                Measured::new([(Metric::QueueCallFailed, Value::Once)], [(Dimension::Call, "ReceiveMessage")])
            }
            Self::Panicked { .. } => Measured::new([(Metric::Panics, Value::Once)], []),
            Self::Decrypted { .. }
            | Self::NotAttempted { .. }
            | Self::TriedBefore { .. }
            | Self::Switched { .. }
            | Self::SecretChanged
            | Self::CircuitChanged { open_for: None, .. }
            | Self::Draining { .. }
            | Self::Drained { .. }
            | Self::Notice { .. } => Measured::new([], []),
        }
    }
}

impl<'f> Measured<'f> {
    fn new<const V: usize, const D: usize>(
        values: [(Metric, Value); V],
        dimensions: [(Dimension, &'f str); D],
    ) -> Self {
        const { assert!(V <= 3 && D <= 3, "there is room for three") };
        let (mut values, mut dimensions) = (values.into_iter(), dimensions.into_iter());
        let (values, dimensions) = ([(); 3].map(|()| values.next()), [(); 3].map(|()| dimensions.next()));
        Self { values, dimensions }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (Metric, Value)> {
        self.values.iter().copied().flatten()
    }

    pub(super) fn dimensions(&self) -> impl Iterator<Item = (Dimension, &'f str)> {
        self.dimensions.iter().copied().flatten()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Once => serializer.serialize_u8(1),
            Self::Time(time) => millis(time, serializer),
        }
    }
}
