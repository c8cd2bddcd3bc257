//! A state table in an emulator of DynamoDB, and what the clients of it do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Credentials, Intercept, RuntimeComponents, SharedCredentialsProvider};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use local::aws::EmbeddedAws;
use local::create_state_table;
use witnesses::MiniStack;
use worker::{DynamoDbState, dynamodb_config};

pub(crate) const REGION: &str = "eu-west-1";

pub(crate) type Row = HashMap<String, AttributeValue>;

pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) embedded: Option<EmbeddedAws>,
    aws: SdkConfig,
    client: Client,
}

/// What a client sends, and of which of its answers it never hears.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<WireInner>);

#[derive(Debug, Default)]
struct WireInner {
    requests: Mutex<Vec<String>>,
    answers_to_lose: AtomicUsize,
}

impl Table {
    pub(crate) async fn embedded() -> Self {
        let embedded = EmbeddedAws::start(([127, 0, 0, 1], 0).into()).unwrap();
        let table = Self::create(embedded.endpoint()).await;
        Self { embedded: Some(embedded), ..table }
    }

    pub(crate) async fn in_ministack(stack: &MiniStack) -> Self {
        Self::create(stack.endpoint()).await
    }

    async fn create(endpoint: String) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("state-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let aws = aws_at(&endpoint);
        let client = Client::from_conf(dynamodb_config(&aws).to_builder().timeout_config(patience()).build());
        create_state_table(&client, &name).await.unwrap();
        Self { name, embedded: None, aws, client }
    }

    /// The state as a worker has it; but it waits for an answer on a machine that is busy with other tests.
    pub(crate) fn state(&self) -> DynamoDbState {
        self.observed_state().0
    }

    pub(crate) fn observed_state(&self) -> (DynamoDbState, Wire) {
        let wire = Wire::default();
        let config = dynamodb_config(&self.aws).to_builder().timeout_config(patience()).interceptor(wire.clone());
        (DynamoDbState::new(Client::from_conf(config.build()), self.name.clone()), wire)
    }

    /// The state exactly as a worker has it.
    pub(crate) fn impatient_state(&self) -> (DynamoDbState, Wire) {
        let wire = Wire::default();
        let config = dynamodb_config(&self.aws).to_builder().interceptor(wire.clone());
        (DynamoDbState::new(Client::from_conf(config.build()), self.name.clone()), wire)
    }

    pub(crate) async fn row(&self, key: &str) -> Row {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        request.key("pk", AttributeValue::S(key.to_owned())).send().await.unwrap().item.unwrap()
    }

    pub(crate) async fn put(&self, row: Row) {
        self.client.put_item().table_name(&self.name).set_item(Some(row)).send().await.unwrap();
    }

    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.client.scan().table_name(&self.name).consistent_read(true).send().await.unwrap().items.unwrap()
    }
}

/// The state of a table that nobody has made, at any endpoint.
pub(crate) fn state_at(endpoint: &str) -> DynamoDbState {
    DynamoDbState::new(Client::from_conf(dynamodb_config(&aws_at(endpoint))), "state".to_owned())
}

fn aws_at(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("123456789012", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn patience() -> TimeoutConfig {
    let long = Duration::from_secs(20);
    TimeoutConfig::builder().connect_timeout(long).operation_attempt_timeout(long).operation_timeout(long).build()
}

impl Wire {
    /// The operations that were asked for since this was last asked, each try of them.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.0.requests.lock().unwrap())
    }

    /// From now on so many calls are carried out, and answered with nothing but the status 500.
    pub(crate) fn lose_answers(&self, count: usize) {
        self.0.answers_to_lose.store(count, Ordering::Relaxed);
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        self.0.requests.lock().unwrap().push(operation.to_owned());
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let left = |left: usize| left.checked_sub(1);
        if self.0.answers_to_lose.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok() {
            *context.response_mut() = HttpResponse::new(500.try_into()?, "".into());
        }
        Ok(())
    }
}
