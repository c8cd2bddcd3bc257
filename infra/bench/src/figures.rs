//! Measured numbers and what they are compared with.

use std::time::Duration;

use serde::Serialize;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Milliseconds,
    MessagesPerSecond,
    Mebibytes,
    /// Of the United States.
    Dollars,
}

/// A number that was measured once or many times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) unit: Unit,
    /// The median, or whatever else the measure's name says.
    pub(crate) value: f64,
    /// Every single measurement, in the order in which it was made.
    pub(crate) all: Vec<f64>,
}

/// What a figure should hold, seen beside its reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// At most one n-th of the reference.
    OneIn(f64),
    /// At most n times the reference.
    TimesAtMost(f64),
    /// At least n times the reference.
    TimesAtLeast(f64),
    /// At most so much, in the figure's unit, whatever the reference.
    Limit(f64),
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    /// The program that it is about.
    pub(crate) subject: &'static str,
    pub(crate) figure: Figure,
    /// What it is compared with, and what that is.
    pub(crate) reference: Option<(&'static str, Figure)>,
    pub(crate) bar: Option<Bar>,
}

impl Figure {
    pub(crate) fn once(value: f64, unit: Unit) -> Self {
        Self { unit, value, all: vec![value] }
    }

    /// The median of all; zero of none.
    pub(crate) fn median(all: Vec<f64>, unit: Unit) -> Self {
        Self { value: percentile(&all, 50.0), unit, all }
    }

    /// The value that so many percent of all lie at or below; of all only this is kept.
    pub(crate) fn percentile(all: &[f64], percent: f64, unit: Unit) -> Self {
        Self::once(percentile(all, percent), unit)
    }
}

impl Row {
    /// A figure by itself.
    pub(crate) fn new(measure: impl Into<String>, subject: impl Into<&'static str>, figure: Figure) -> Self {
        Self { measure: measure.into(), subject: subject.into(), figure, reference: None, bar: None }
    }

    /// Beside the sample's figure, if the sample ran.
    #[must_use]
    pub(crate) fn beside_sample(self, sample: Option<&Figure>) -> Self {
        Self { reference: sample.map(|figure| ("sample", figure.clone())), ..self }
    }

    #[must_use]
    pub(crate) fn beside(self, name: &'static str, figure: &Figure) -> Self {
        Self { reference: Some((name, figure.clone())), ..self }
    }

    #[must_use]
    pub(crate) fn with_bar(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// The figure divided by its reference.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let (_, reference) = self.reference.as_ref()?;
        (reference.value > 0.0).then(|| self.figure.value / reference.value)
    }

    /// Whether the bar holds; nothing without a bar, or when there is nothing to compare with.
    pub(crate) fn holds(&self) -> Option<bool> {
        match self.bar? {
            Bar::OneIn(parts) => Some(self.ratio()? * parts <= 1.0),
            Bar::TimesAtMost(times) => Some(self.ratio()? <= times),
            Bar::TimesAtLeast(times) => Some(self.ratio()? >= times),
            Bar::Limit(most) => Some(self.figure.value <= most),
        }
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The value at or below which so many percent lie (nearest rank); the median of an even number is the mean of the two
/// in the middle.
fn percentile(all: &[f64], percent: f64) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    if percent == 50.0 {
        return f64::midpoint(sorted[last / 2], sorted[sorted.len() / 2]);
    }
    let below =
        sorted.iter().enumerate().find(|(index, _)| (index + 1) as f64 * 100.0 >= percent * sorted.len() as f64);
    below.map_or(sorted[last], |(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;

    fn row(value: f64, reference: f64) -> Row {
        let [figure, reference] = [value, reference].map(|value| Figure::once(value, Unit::Milliseconds));
        Row::new("start", Subject::Worker, figure).beside("sample", &reference)
    }

    #[test]
    fn medians_and_percentiles_are_of_all_measurements() {
        let all = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(Figure::median(all.to_vec(), Unit::Milliseconds).value, 3.0);
        assert_eq!(Figure::median(all[1..].to_vec(), Unit::Milliseconds).value, 2.5);
        assert_eq!(Figure::median(Vec::new(), Unit::Milliseconds).value, 0.0);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(Figure::percentile(&hundred, 99.0, Unit::Milliseconds).value, 99.0);
        assert_eq!(Figure::percentile(&all, 99.0, Unit::Milliseconds).value, 5.0);
    }

    #[test]
    fn a_bar_is_judged_against_the_reference() {
        assert_eq!(row(4.0, 100.0).with_bar(Bar::OneIn(25.0)).holds(), Some(true));
        assert_eq!(row(4.1, 100.0).with_bar(Bar::OneIn(25.0)).holds(), Some(false));
        assert_eq!(row(110.0, 100.0).with_bar(Bar::TimesAtMost(1.1)).holds(), Some(true));
        assert_eq!(row(599.0, 100.0).with_bar(Bar::TimesAtLeast(6.0)).holds(), Some(false));
        assert_eq!(row(0.3, 100.0).with_bar(Bar::Limit(0.3)).holds(), Some(true));
    }

    #[test]
    fn without_a_sample_only_absolute_bars_are_judged() {
        let alone = Row { reference: None, ..row(1.0, 1.0) };
        assert_eq!(alone.clone().with_bar(Bar::OneIn(25.0)).holds(), None);
        assert_eq!(alone.with_bar(Bar::Limit(0.3)).holds(), Some(false));
    }
}
