use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;

/// What DynamoDB says of the state table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) status: String,
    /// Name, key type and attribute type of each part of the key.
    pub(crate) key: Vec<(String, String, String)>,
}

/// The table's TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TimeToLive {
    pub(crate) status: String,
    pub(crate) attribute: Option<String>,
}

impl Aws {
    pub(super) async fn table(&self, table: &str) -> Reading<Table> {
        let call = Call::new("dynamodb:DescribeTable", "table", table);
        let described = call.clone().typed(self.dynamodb.describe_table().table_name(table).send()).await?;
        let described = described.table.ok_or_else(|| call.not_there())?;
        let definitions = described.attribute_definitions();
        let key = described.key_schema().iter().map(|part| {
            let definition = definitions.iter().find(|one| one.attribute_name() == part.attribute_name());
            let kind = definition.map(|one| one.attribute_type().as_str()).unwrap_or_default();
            (part.attribute_name().to_owned(), part.key_type().as_str().to_owned(), kind.to_owned())
        });
        Ok(Table {
            name: table.to_owned(),
            status: described.table_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
            key: key.collect(),
        })
    }

    pub(super) async fn time_to_live(&self, table: &str) -> Reading<TimeToLive> {
        let call = Call::new("dynamodb:DescribeTimeToLive", "table", table);
        let described = call.typed(self.dynamodb.describe_time_to_live().table_name(table).send()).await?;
        let described = described.time_to_live_description;
        let status = described.as_ref().and_then(|of| of.time_to_live_status());
        Ok(TimeToLive {
            status: status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            attribute: described.as_ref().and_then(|of| of.attribute_name()).map(str::to_owned),
        })
    }
}
