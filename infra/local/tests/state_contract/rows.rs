//! What stands in the table, and what may: workers of other versions, and anybody with the right to, write there too.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::rfc3339_millis;
use worker::{
    Counted, LimitScope, Standing, State as _, StateError, Status, Switch, Switchboard as _, SwitchedOff, Switches,
    UserCode, Window,
};

use crate::check::Check;
use crate::subject::{Subject, after_its_end, claim, granted, now, some_key, some_message, update};
use crate::table::{Row, Table};

pub(crate) const CHECKS: &[Check] = checks! {
    rows_are_written_as_other_versions_read_them,
    the_row_of_a_message_that_is_damaged_is_an_error,
    the_row_of_a_newest_code_that_is_damaged_is_an_error,
    the_row_of_a_window_that_is_damaged_is_an_error,
    a_switch_in_whatever_form_is_off,
    what_only_newer_versions_can_switch_off_is_passed_over,
};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn row<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Row {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What no attribute of ours is; the number is too large for any.
fn wrong_values() -> [Option<AttributeValue>; 7] {
    let values = [
        AttributeValue::Bool(true),
        AttributeValue::L(vec![number(1)]),
        AttributeValue::M(Row::new()),
        AttributeValue::Null(true),
        AttributeValue::Ss(vec!["in_flight".to_owned()]),
        AttributeValue::N("2e30".to_owned()),
    ];
    let mut all = values.map(Some).to_vec();
    all.push(None);
    all.try_into().unwrap()
}

async fn damage(table: &Table, sound: &Row, name: &str, value: Option<AttributeValue>) {
    let mut row = sound.clone();
    match value {
        Some(value) => row.insert(name.to_owned(), value),
        None => row.remove(name),
    };
    table.put(row).await;
}

fn damaged<T>() -> Result<T, StateError> {
    Err(StateError::of_code("damaged_row"))
}

async fn rows_are_written_as_other_versions_read_them(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    let end = after_its_end(holder.now).as_second();
    let end_of_message = if holder.now.subsec_nanosecond() == 0 { end - 1 } else { end };
    let message = |status: &str, attempts| {
        row([
            ("pk", text(&format!("message#{}", holder.id))),
            ("status", text(status)),
            ("lease_owner", text(holder.owner.as_str())),
            ("lease_until", number(holder.lease_until.as_millisecond())),
            ("attempts", number(attempts)),
            ("unknowns", number(0)),
            ("redriven", number(0)),
            ("counted_at", text(holder.owner.as_str())),
            ("expires_at", number(end_of_message)),
        ])
    };
    let key = format!("message#{}", holder.id);
    assert_eq!(table.row(&key).await, message("in_flight", 0));
    for (status, name) in [(Status::Retry, "retry"), (Status::DeadLettered, "dead_lettered"), (Status::Sent, "sent")] {
        table.put(message("in_flight", 0)).await;
        assert_eq!(state.update(&update(&holder, status, 1, 0)).await, Ok(true));
        assert_eq!(table.row(&key).await, message(name, 1));
    }

    let (code_key, window_key, end) = (some_key(), some_key(), "2100-01-01T00:00:00.5Z".parse().unwrap());
    let code = UserCode { key: code_key.clone(), accepted_at: holder.now, expires_at: end };
    assert_eq!(state.newest(&code, holder.now).await, Ok(Standing::Newest));
    let newest = row([
        ("pk", text(&format!("newest#{code_key}"))),
        ("accepted_at", number(holder.now.as_millisecond())),
        ("expires_at", number(end.as_second() + 1)),
    ]);
    assert_eq!(table.row(&format!("newest#{code_key}")).await, newest);

    let window = Window { scope: LimitScope::InAll, key: window_key.clone(), limit: 9, ends_at: end };
    for _ in 0..2 {
        assert_eq!(state.count(&window, holder.now).await, Ok(Counted::Within));
    }
    let window = row([
        ("pk", text(&format!("window#{window_key}"))),
        ("messages", number(2)),
        ("expires_at", number(end.as_second() + 1)),
    ]);
    assert_eq!(table.row(&format!("window#{window_key}")).await, window);

    let off = |by: Option<&str>| SwitchedOff { since: Some(holder.now), by: by.map(str::to_owned), because: None };
    state.set(&Switch::Everything, Some(&off(None))).await.unwrap();
    state.set(&Switch::Provider("twilio-main".to_owned()), Some(&off(Some("zoe")))).await.unwrap();
    let since = text(&rfc3339_millis(holder.now));
    let switches = row([
        ("pk", text("switches")),
        ("everything", AttributeValue::M(row([("since", since.clone())]))),
        ("provider twilio-main", AttributeValue::M(row([("since", since), ("by", text("zoe"))]))),
    ]);
    assert_eq!(table.row("switches").await, switches);
}

async fn the_row_of_a_message_that_is_damaged_is_an_error(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let holder = claim(&some_message(), now());
    granted(&*subject.worker(), &holder).await;
    let sound = table.row(&format!("message#{}", holder.id)).await;
    let all = ["status", "lease_owner", "lease_until", "attempts", "unknowns", "redriven", "expires_at"];
    let mut wrong: Vec<(&str, Option<AttributeValue>)> = Vec::new();
    for name in all {
        wrong.extend(wrong_values().map(|value| (name, value)));
    }
    wrong.extend(wrong_values().into_iter().flatten().map(|value| ("counted_at", Some(value))));
    wrong.extend([
        ("status", Some(text("queued"))),
        ("lease_owner", Some(text("somebody"))),
        ("counted_at", Some(text(""))),
        ("attempts", Some(number(-1))),
        ("unknowns", Some(number(1 << 32))),
        ("redriven", Some(text("0"))),
        ("lease_until", Some(number(i64::MAX))),
    ]);
    for (name, value) in wrong {
        let shown = format!("{name}: {value:?}");
        damage(table, &sound, name, value.clone()).await;
        assert_eq!(state.look(&holder.id, holder.now).await, damaged(), "{shown}");
        assert_eq!(state.claim(&claim(&holder.id, holder.now)).await, damaged(), "{shown}");
        for status in [Status::InFlight, Status::Retry, Status::Sent] {
            damage(table, &sound, name, value.clone()).await;
            assert_eq!(state.update(&update(&holder, status, 1, 0)).await, damaged(), "{shown}");
        }
    }
}

async fn the_row_of_a_newest_code_that_is_damaged_is_an_error(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let now = now();
    let code = UserCode { key: some_key(), accepted_at: now, expires_at: now };
    state.newest(&code, now).await.unwrap();
    let sound = table.row(&format!("newest#{}", code.key)).await;
    for value in wrong_values() {
        damage(table, &sound, "accepted_at", value).await;
        assert_eq!(state.newest(&code, now).await, damaged());
    }
}

async fn the_row_of_a_window_that_is_damaged_is_an_error(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let window = Window { scope: LimitScope::PerNumber, key: some_key(), limit: 2, ends_at: now() };
    state.count(&window, now()).await.unwrap();
    let sound = table.row(&format!("window#{}", window.key)).await;
    for value in wrong_values().into_iter().flatten() {
        damage(table, &sound, "messages", Some(value)).await;
        assert_eq!(state.count(&window, now()).await, damaged());
    }
    damage(table, &sound, "messages", None).await;
    assert_eq!(state.count(&window, now()).await, Ok(Counted::Within), "nothing was counted in it");
}

async fn a_switch_in_whatever_form_is_off(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let off = SwitchedOff { since: Some(now()), by: None, because: None };
    state.set(&Switch::Everything, Some(&off)).await.unwrap();
    let sound = table.row("switches").await;
    let maps = [row([("since", number(1))]), row([("since", text("yesterday")), ("by", number(1))])];
    for value in wrong_values().into_iter().flatten().chain(maps.map(AttributeValue::M)) {
        damage(table, &sound, "everything", Some(value)).await;
        let expected = Switches([(Switch::Everything, SwitchedOff::default())].into());
        assert_eq!(state.switches().await, Ok(expected));
    }
    state.set(&Switch::Everything, Some(&off)).await.unwrap();
    assert_eq!(state.switches().await, Ok(Switches([(Switch::Everything, off)].into())), "throwing it repairs it");
}

async fn what_only_newer_versions_can_switch_off_is_passed_over(subject: &Subject) {
    let (table, state) = (subject.table(), subject.table().state());
    let off = SwitchedOff { since: Some(now()), by: None, because: None };
    state.set(&Switch::Everything, Some(&off)).await.unwrap();
    let mut newer = table.row("switches").await;
    let value = newer["everything"].clone();
    for name in ["trigger_source Authentication", "country XX", "provider ", "expires_at", "Everything"] {
        newer.insert(name.to_owned(), value.clone());
    }
    newer.insert("version".to_owned(), number(2));
    table.put(newer).await;
    assert_eq!(state.switches().await, Ok(Switches([(Switch::Everything, off)].into())));
}
