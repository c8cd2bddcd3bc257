//! DynamoDB over the wire: AWS JSON 1.0 in front of Dynoxide, an embeddable DynamoDB that others wrote, here in memory.
//!
//! Its ARNs name the account 000000000000, whatever the other services' say. Rows past their time to live stay.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};

use super::service::{Answer, Caller, Service, read};

/// What DynamoDB does instead of its work, to every request over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynamoDbFault {
    /// 400 ProvisionedThroughputExceededException.
    Throttled,
    /// 500 InternalServerError.
    InternalError,
    /// 400 AccessDeniedException.
    AccessDenied,
    /// The work, but so much later.
    Latency(Duration),
}

/// DynamoDB as the listener sees it.
pub struct DynamoDbService {
    database: Database,
    fault: Mutex<Option<DynamoDbFault>>,
}

impl DynamoDbService {
    pub(super) fn new() -> Result<Self, DynoxideError> {
        Ok(Self { database: Database::memory()?, fault: Mutex::default() })
    }

    /// Breaks the service from now on, or mends it with `None`.
    pub fn set_fault(&self, fault: Option<DynamoDbFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    async fn suffer(&self) -> Result<(), Answer> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = |status, name: &str| Answer::error(status, &format!("{MODEL}#{name}"), "injected fault");
        match fault {
            None => Ok(()),
            Some(DynamoDbFault::Throttled) => Err(refusal(400, "ProvisionedThroughputExceededException")),
            Some(DynamoDbFault::InternalError) => Err(refusal(500, "InternalServerError")),
            Some(DynamoDbFault::AccessDenied) => Err(refusal(400, "AccessDeniedException")),
            Some(DynamoDbFault::Latency(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }

    fn carry_out(&self, operation: &str, body: &[u8]) -> Result<Answer, Answer> {
        let db = &self.database;
        match operation {
            "CreateTable" => with(body, |request| db.create_table(request)),
            "DescribeTable" => with(body, |request| db.describe_table(request)),
            "DeleteTable" => with(body, |request| db.delete_table(request)),
            "ListTables" => with(body, |request| db.list_tables(request)),
            "UpdateTimeToLive" => with(body, |request| db.update_time_to_live(request)),
            "DescribeTimeToLive" => with(body, |request| db.describe_time_to_live(request)),
            "GetItem" => with(body, |request| db.get_item(request)),
            "PutItem" => with(body, |request| db.put_item(request)),
            "UpdateItem" => with(body, |request| db.update_item(request)),
            "DeleteItem" => with(body, |request| db.delete_item(request)),
            "Query" => with(body, |request| db.query(request)),
            "Scan" => with(body, |request| db.scan(request)),
            unknown => Err(Answer::unknown_operation(unknown)),
        }
    }
}

/// The prefix of DynamoDB's error types.
const MODEL: &str = "com.amazonaws.dynamodb.v20120810";

#[async_trait]
impl Service for DynamoDbService {
    async fn call(&self, operation: &str, body: &[u8], _caller: &Caller) -> Answer {
        match self.suffer().await.and_then(|()| self.carry_out(operation, body)) {
            Ok(answer) | Err(answer) => answer,
        }
    }
}

fn with<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    work: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> Result<Answer, Answer> {
    let answer = work(read(body)?).map_err(|error| Answer {
        status: error.status_code(),
        body: error.to_json().into_bytes(),
        headers: Vec::new(),
    })?;
    Ok(Answer::ok(&answer))
}
