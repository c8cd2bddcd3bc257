//! The table that the workers share.

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Reading, Readings, known};
use super::function;
use crate::stack::STATE_TABLE;

const KEY: &str = "pk";
const TTL: &str = "expires_at";

pub(super) fn table(readings: &Readings) -> Reading<Judgement> {
    let table = match &readings.table {
        Ok(Some(table)) => table,
        Ok(None) => {
            let worker = known(&readings.worker)?;
            let of_stack = readings.output(STATE_TABLE);
            let sentence = "give the workers a table: else a code may be sent again by each process";
            let remedy = match of_stack {
                Some(table) => function::set(readings, worker, sentence, &[("STATE_TABLE", table)]),
                None => Remedy::by_hand(sentence),
            };
            return Ok(Judgement::warning("STATE_TABLE is not set", remedy));
        }
        Err(unread) if unread.is_not_there() => {
            let remedy = "make it anew (partition key pk, a string; TTL attribute expires_at), or correct STATE_TABLE";
            return Ok(Judgement::wrong(unread.to_string(), Remedy::by_hand(remedy)));
        }
        Err(unread) => return Err(unread.clone()),
    };
    let expected = [(KEY.to_owned(), "HASH".to_owned(), "S".to_owned())];
    if table.key != expected {
        let key: Vec<_> = table.key.iter().map(|(name, role, kind)| format!("{name} ({role}, {kind})")).collect();
        let remedy =
            "use a table with the partition key pk, a string, and no sort key: a table's key cannot be changed";
        return Ok(Judgement::wrong(format!("{}: its key is {}", table.name, key.join(", ")), Remedy::by_hand(remedy)));
    }
    if !matches!(table.status.as_str(), "ACTIVE" | "UPDATING") {
        let remedy =
            Remedy::by_hand("see why in DynamoDB: the workers send without protection against doubles meanwhile");
        return Ok(Judgement::wrong(format!("{} is {}", table.name, table.status), remedy));
    }
    Ok(Judgement::sound(format!("{} is {}", table.name, table.status)))
}

pub(super) fn time_to_live(readings: &Readings) -> Reading<Judgement> {
    let Some(ttl) = known(&readings.time_to_live)? else {
        return Ok(Judgement::sound("no table, no TTL"));
    };
    let Some(table) = known(&readings.table)? else {
        return Ok(Judgement::sound("no table, no TTL"));
    };
    let is_on = matches!(ttl.status.as_str(), "ENABLED" | "ENABLING");
    match (is_on, ttl.attribute.as_deref()) {
        (true, Some(TTL)) => Ok(Judgement::sound(format!("TTL by {TTL}"))),
        (true, other) => {
            let found = format!("TTL by {}, and not by {TTL}", other.unwrap_or("another attribute"));
            let remedy = "switch that TTL off, wait an hour as DynamoDB asks for, and switch it on by expires_at";
            Ok(Judgement::wrong(found, Remedy::by_hand(remedy)))
        }
        (false, _) => {
            let specification = format!("Enabled=true,AttributeName={TTL}");
            let words = ["dynamodb", "update-time-to-live", "--table-name", &table.name];
            let by = ["--time-to-live-specification", &specification];
            let command = readings.command_line.aws(&[&words[..], &by].concat());
            Ok(Judgement::wrong("no TTL: the table grows for ever", Remedy::by("switch it on", command)))
        }
    }
}
