//! SQS over the wire: AWS JSON 1.0 in front of the model, with the clock and the waiting.

mod messages;
mod queues;
mod receive;
mod requests;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use sqs::{Account, Timestamp};
use tokio::sync::Notify;

use super::service::{Answer, Caller, Service, now};

/// What SQS does instead of its work, to every request over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqsFault {
    /// 503 ServiceUnavailable.
    Unavailable,
    /// 503 ServiceUnavailable to this operation only, such as `SendMessageBatch`.
    OperationUnavailable(&'static str),
    /// The work, but so much later.
    Latency(Duration),
}

/// SQS as the listener sees it.
pub struct SqsService {
    account: Mutex<Account>,
    /// Wakes the receivers that wait at a queue. An entry is made by waiting at an existing queue.
    arrivals: Mutex<BTreeMap<String, Arc<Notify>>>,
    /// What comes before a queue's name in its URL: `http://127.0.0.1:4566/123456789012/`.
    queue_urls: String,
    fault: Mutex<Option<SqsFault>>,
    /// How far this SQS is ahead of the clock, in milliseconds.
    ahead: AtomicU64,
}

impl SqsService {
    pub(super) fn new(account: Account, queue_urls: String) -> Self {
        Self {
            account: Mutex::new(account),
            arrivals: Mutex::default(),
            queue_urls,
            fault: Mutex::default(),
            ahead: AtomicU64::default(),
        }
    }

    /// Breaks the service from now on, or mends it with `None`. A receive that waits already is not disturbed.
    pub fn set_fault(&self, fault: Option<SqsFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Lets time pass for this SQS: delays and visibility timeouts end so much sooner, from now on and for good.
    pub fn pass_time(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.ahead.fetch_add(millis, Ordering::Relaxed);
        self.arrivals().values().for_each(|waiting| waiting.notify_waiters());
    }

    fn now(&self) -> Timestamp {
        now() + Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// The URL of a queue of this name, whether it exists or not.
    pub fn queue_url(&self, queue: &str) -> String {
        format!("{}{queue}", self.queue_urls)
    }

    /// Looks into the model or changes it, past the wire and its faults. Whoever waits looks again afterwards.
    pub fn with_account<R>(&self, work: impl FnOnce(&mut Account, Timestamp) -> R) -> R {
        let result = work(&mut self.account(), self.now());
        self.arrivals().values().for_each(|waiting| waiting.notify_waiters());
        result
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrivals(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Notify>>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the receivers that wait at this queue look again.
    fn wake(&self, queue: &str) {
        if let Some(waiting) = self.arrivals().get(queue) {
            waiting.notify_waiters();
        }
    }

    /// The queue that a URL names. Its host does not matter: a client may have come by another name of this machine.
    fn queue_name<'a>(&self, url: &'a str) -> Result<&'a str, sqs::Error> {
        if url.is_empty() {
            return Err(sqs::Error::MissingParameter { parameter: "QueueUrl" });
        }
        let account = self.queue_urls.trim_end_matches('/').rsplit('/').next();
        let mut parts = url.rsplit('/');
        match (parts.next(), parts.next()) {
            (Some(name), Some(owner)) if Some(owner) == account => Ok(name),
            _ => Err(sqs::Error::QueueDoesNotExist { queue: url.chars().take(200).collect() }),
        }
    }

    async fn suffer(&self, operation: &str) -> Result<(), Refusal> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => Ok(()),
            Some(SqsFault::OperationUnavailable(broken)) if broken != operation => Ok(()),
            Some(SqsFault::Unavailable | SqsFault::OperationUnavailable(_)) => Err(Refusal(
                Answer::error(503, "com.amazonaws.sqs#ServiceUnavailable", "injected fault")
                    .with_query_error("ServiceUnavailable;Receiver"),
            )),
            Some(SqsFault::Latency(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
        }
    }

    async fn carry_out(&self, operation: &str, body: &[u8], caller: &Caller) -> Result<Value, Refusal> {
        self.suffer(operation).await?;
        match operation {
            "CreateQueue" => self.create_queue(body),
            "DeleteQueue" => self.delete_queue(body),
            "GetQueueUrl" => self.get_queue_url(body),
            "ListQueues" => self.list_queues(body),
            "ListDeadLetterSourceQueues" => self.list_dead_letter_source_queues(body),
            "GetQueueAttributes" => self.get_queue_attributes(body),
            "SetQueueAttributes" => self.set_queue_attributes(body),
            "PurgeQueue" => self.purge_queue(body),
            "SendMessage" => self.send_message(body, caller),
            "SendMessageBatch" => self.send_message_batch(body, caller),
            "ReceiveMessage" => self.receive_message(body).await,
            "DeleteMessage" => self.delete_message(body),
            "DeleteMessageBatch" => self.delete_message_batch(body),
            "ChangeMessageVisibility" => self.change_message_visibility(body),
            "ChangeMessageVisibilityBatch" => self.change_message_visibility_batch(body),
            unknown => Err(Refusal(Answer::unknown_operation(unknown))),
        }
    }
}

#[async_trait]
impl Service for SqsService {
    async fn call(&self, operation: &str, body: &[u8], caller: &Caller) -> Answer {
        match self.carry_out(operation, body, caller).await {
            Ok(answer) => Answer::ok(&answer),
            Err(Refusal(answer)) => answer,
        }
    }
}

/// An answer that says no: of the model, or of the wire before it.
struct Refusal(Answer);

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self(answer)
    }
}

impl From<sqs::Error> for Refusal {
    fn from(error: sqs::Error) -> Self {
        let (status, fault) = if error.is_sender_fault() { (400, "Sender") } else { (500, "Receiver") };
        let error_type = format!("com.amazonaws.sqs#{}", error.shape());
        let query_error = format!("{};{fault}", error.code());
        Self(Answer::error(status, &error_type, &error.to_string()).with_query_error(&query_error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> SqsService {
        let account = Account::new("eu-west-1", "123456789012", 1, sqs::Limits::default());
        SqsService::new(account, "http://127.0.0.1:4566/123456789012/".to_owned())
    }

    #[test]
    fn a_queue_url_may_name_another_host_but_not_another_account() {
        let service = service();
        assert_eq!(service.queue_name(&service.queue_url("codes")), Ok("codes"));
        assert_eq!(service.queue_name("http://localhost:4566/123456789012/codes"), Ok("codes"));
        for bad in ["codes", "http://127.0.0.1:4566/000000000000/codes", "//", "http://127.0.0.1:4566/codes"] {
            assert_eq!(service.queue_name(bad).unwrap_err().shape(), "QueueDoesNotExist", "{bad}");
        }
        assert_eq!(service.queue_name("").unwrap_err().shape(), "MissingParameter");
    }

    #[tokio::test]
    async fn refusals_carry_the_names_of_both_protocols() {
        let caller = Caller { sender_id: "AKID".to_owned() };
        let body = br#"{"QueueUrl":"http://127.0.0.1:4566/123456789012/none","MessageBody":"x"}"#;
        let answer = service().call("SendMessage", body, &caller).await;
        assert_eq!(answer.status, 400);
        let named = ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned());
        assert_eq!(answer.headers, [named]);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    }

    #[tokio::test]
    async fn a_long_poll_that_is_dropped_takes_no_message_with_it() {
        let (service, caller) = (service(), Caller { sender_id: "AKID".to_owned() });
        service.with_account(|account, now| account.create_queue("codes", &BTreeMap::new(), now)).unwrap();
        let body = br#"{"QueueUrl":"http://127.0.0.1:4566/123456789012/codes","WaitTimeSeconds":20}"#;
        let poll = service.call("ReceiveMessage", body, &caller);
        assert!(tokio::time::timeout(Duration::from_millis(10), poll).await.is_err());
        let received = service.with_account(|account, now| {
            account.send("codes", sqs::NewMessage::new("x"), "me", now)?;
            account.receive("codes", sqs::Receive::default(), now)
        });
        assert_eq!(received.unwrap().deliveries[0].receive_count, 1);
    }

    #[tokio::test]
    async fn no_body_makes_an_operation_panic() {
        let caller = Caller { sender_id: "AKID".to_owned() };
        let service = service();
        let operations =
            ["CreateQueue", "SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "PurgeQueue"];
        for operation in operations {
            for body in ["", "{}", "[]", "null", "\"", "{\"QueueUrl\":1}", "{\"Entries\":{}}", "\u{0}"] {
                assert_eq!(service.call(operation, body.as_bytes(), &caller).await.status, 400, "{operation} {body}");
            }
        }
    }
}
