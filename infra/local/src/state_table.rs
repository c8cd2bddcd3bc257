//! The table that `STATE_TABLE` names.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use aws_sdk_dynamodb::{Client, Error};

/// Creates an empty state table.
///
/// # Errors
/// What DynamoDB refuses, such as a name that another table has.
pub async fn create_state_table(client: &Client, table: &str) -> Result<(), Error> {
    let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    request.attribute_definitions(key.build()?).key_schema(schema.build()?).send().await?;
    let expiry = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true);
    client.update_time_to_live().table_name(table).time_to_live_specification(expiry.build()?).send().await?;
    Ok(())
}
