//! `switches`: everything that is off, each an attribute of one row, so that one read shows all. Its name is the
//! switch's; the value says since when, by whom and why.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::rfc3339_millis;

use super::DynamoDbState;
use super::client::state_error;
use super::row::{Item, PK, damaged, optional_text_of, text, text_of};
use crate::state::{StateError, Switch, SwitchedOff, Switches};

const ROW: &str = "switches";
const SINCE: &str = "since";
const BY: &str = "by";
const BECAUSE: &str = "because";

impl DynamoDbState {
    pub(super) async fn all_switches(&self) -> Result<Switches, StateError> {
        let request = self.client.get_item().table_name(&self.table).key(PK, text(ROW)).consistent_read(true);
        let row = request.send().await.map_err(|error| state_error(&error))?.item.unwrap_or_default();
        // What has another name is the row's key, or something that only newer versions can switch off.
        let known = row.iter().filter_map(|(name, value)| Some((Switch::parse(name)?, value)));
        let off: Result<BTreeMap<_, _>, _> = known.map(|(switch, value)| Ok((switch, switched_off(value)?))).collect();
        Ok(Switches(off?))
    }

    pub(super) async fn set_switch(&self, switch: &Switch, off: Option<&SwitchedOff>) -> Result<(), StateError> {
        let request = self.client.update_item().table_name(&self.table).key(PK, text(ROW));
        let request = request.expression_attribute_names("#switch", switch.to_string());
        let request = match off {
            Some(off) => {
                request.update_expression("SET #switch = :off").expression_attribute_values(":off", value(off))
            }
            None => request.update_expression("REMOVE #switch"),
        };
        request.send().await.map(drop).map_err(|error| state_error(&error))
    }
}

fn value(off: &SwitchedOff) -> AttributeValue {
    let SwitchedOff { since, by, because } = off;
    let since = [(SINCE.to_owned(), text(rfc3339_millis(*since)))];
    let rest = [(BY, by), (BECAUSE, because)];
    let rest = rest.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?))));
    AttributeValue::M(since.into_iter().chain(rest).collect())
}

fn switched_off(value: &AttributeValue) -> Result<SwitchedOff, StateError> {
    let value: &Item = value.as_m().map_err(|_| damaged())?;
    let optional = |name| Ok::<_, StateError>(optional_text_of(value, name)?.map(str::to_owned));
    let since = text_of(value, SINCE)?.parse().map_err(|_| damaged())?;
    Ok(SwitchedOff { since, by: optional(BY)?, because: optional(BECAUSE)? })
}
