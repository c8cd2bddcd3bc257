//! What operators have switched off.

use std::time::Duration;

use tokio::task::JoinSet;
use worker::{Country, Switch, SwitchedOff, Switches};

use crate::check::Check;
use crate::subject::{Subject, now};

pub(crate) const CHECKS: &[Check] = checks! {
    at_first_nothing_is_off,
    what_is_off_shows_since_when_by_whom_and_why,
    what_is_on_again_is_off_no_longer,
    the_last_reason_counts,
    switches_that_are_thrown_at_once_do_not_disturb_each_other,
};

fn off(because: Option<&str>) -> SwitchedOff {
    SwitchedOff { since: Some(now()), by: Some("zoë".to_owned()), because: because.map(str::to_owned) }
}

fn some_switches() -> [Switch; 4] {
    let country = |code| Switch::Country(Country::parse(code).unwrap());
    [Switch::Everything, country("GB"), country("001"), Switch::Provider("twilio-main".to_owned())]
}

async fn at_first_nothing_is_off(subject: &Subject) {
    assert_eq!(subject.worker().switches().await, Ok(Switches::default()));
}

async fn what_is_off_shows_since_when_by_whom_and_why(subject: &Subject) {
    let mut expected = Switches::default();
    for (switch, because) in some_switches().into_iter().zip([None, Some("toll fraud \u{1f512}"), None, Some("it's")]) {
        let off = SwitchedOff { by: None, ..off(because) };
        let off = if because.is_some() { SwitchedOff { by: Some("ops@example".to_owned()), ..off } } else { off };
        subject.worker().set(&switch, Some(&off)).await.unwrap();
        expected.0.insert(switch, off);
        assert_eq!(subject.worker().switches().await.as_ref(), Ok(&expected));
    }
}

async fn what_is_on_again_is_off_no_longer(subject: &Subject) {
    let worker = subject.worker();
    let [everything, country, ..] = some_switches();
    worker.set(&everything, None).await.unwrap();
    assert_eq!(worker.switches().await, Ok(Switches::default()), "it was on before");
    let off = off(None);
    worker.set(&everything, Some(&off)).await.unwrap();
    worker.set(&country, Some(&off)).await.unwrap();
    worker.set(&everything, None).await.unwrap();
    assert_eq!(worker.switches().await, Ok(Switches([(country, off)].into())));
}

async fn the_last_reason_counts(subject: &Subject) {
    let worker = subject.worker();
    let [everything, ..] = some_switches();
    worker.set(&everything, Some(&off(Some("first")))).await.unwrap();
    let last =
        SwitchedOff { since: Some(now() + Duration::from_secs(1)), by: None, because: Some("second".to_owned()) };
    worker.set(&everything, Some(&last)).await.unwrap();
    assert_eq!(worker.switches().await, Ok(Switches([(everything, last)].into())));
}

async fn switches_that_are_thrown_at_once_do_not_disturb_each_other(subject: &Subject) {
    let provider = |number: u32| Switch::Provider(format!("provider-{number}"));
    let off = off(Some("drill"));
    for number in 0..6 {
        subject.worker().set(&provider(number), Some(&off)).await.unwrap();
    }
    let mut all = JoinSet::new();
    for number in 0..12 {
        let (worker, off) = (subject.worker(), off.clone());
        // The first six on again, the others off.
        all.spawn(async move { worker.set(&provider(number), (number >= 6).then_some(&off)).await });
    }
    assert!(all.join_all().await.iter().all(Result::is_ok));
    let expected = (6..12).map(|number| (provider(number), off.clone()));
    assert_eq!(subject.worker().switches().await, Ok(Switches(expected.collect())));
}
