//! `switches`: everything that is off, each an attribute of one row, so that one read shows all. Its name is the
//! switch's; the value says since when, by whom and why.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::rfc3339_millis;

use super::DynamoDbState;
use super::client::state_error;
use super::row::{PK, text};
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
        let known = row.iter().filter_map(|(name, value)| Some((Switch::parse(name)?, switched_off(value))));
        Ok(Switches(known.collect()))
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
    let since = since.map(rfc3339_millis);
    let members = [(SINCE, &since), (BY, by), (BECAUSE, because)].into_iter();
    let members = members.filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?))));
    AttributeValue::M(members.collect())
}

/// What was written by hand, or damaged, is off as well: whoever wrote it meant that.
fn switched_off(value: &AttributeValue) -> SwitchedOff {
    let text = |name| value.as_m().ok()?.get(name)?.as_s().ok();
    SwitchedOff {
        since: text(SINCE).and_then(|since| since.parse().ok()),
        by: text(BY).cloned(),
        because: text(BECAUSE).cloned(),
    }
}
