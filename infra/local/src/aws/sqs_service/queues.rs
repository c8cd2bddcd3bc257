//! The operations on queues.

use serde_json::{Value, json};

use super::{
    super::service::read,
    Refusal, SqsService,
    requests::{CreateQueue, List, OfQueue, SetQueueAttributes},
};

/// The most names in one answer.
const PAGE: usize = 1000;

impl SqsService {
    pub(super) fn create_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: CreateQueue = read(body)?;
        self.account().create_queue(&request.queue_name, &request.attributes, self.now())?;
        Ok(json!({ "QueueUrl": self.queue_url(&request.queue_name) }))
    }

    pub(super) fn delete_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: OfQueue = read(body)?;
        let queue = self.queue_name(&request.queue_url)?;
        self.account().delete_queue(queue)?;
        // Whoever waits there learns that the queue is gone.
        self.wake(queue);
        self.arrivals().remove(queue);
        Ok(json!({}))
    }

    pub(super) fn get_queue_url(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: CreateQueue = read(body)?;
        if !self.account().has_queue(&request.queue_name) {
            let queue = request.queue_name.chars().take(200).collect();
            return Err(sqs::Error::QueueDoesNotExist { queue }.into());
        }
        Ok(json!({ "QueueUrl": self.queue_url(&request.queue_name) }))
    }

    pub(super) fn list_queues(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: List = read(body)?;
        let names = self.account().list_queues(&request.queue_name_prefix).map(str::to_owned).collect();
        self.page("QueueUrls", names, &request)
    }

    pub(super) fn list_dead_letter_source_queues(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: List = read(body)?;
        let names = self.account().dead_letter_sources(self.queue_name(&request.queue_url)?)?;
        // The one member of SQS that begins with a small letter.
        self.page("queueUrls", names, &request)
    }

    pub(super) fn get_queue_attributes(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: OfQueue = read(body)?;
        let queue = self.queue_name(&request.queue_url)?;
        let attributes = self.account().queue_attributes(queue, &request.attribute_names, self.now())?;
        Ok(json!({ "Attributes": attributes }))
    }

    pub(super) fn set_queue_attributes(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: SetQueueAttributes = read(body)?;
        let queue = self.queue_name(&request.queue_url)?;
        self.account().set_queue_attributes(queue, &request.attributes, self.now())?;
        Ok(json!({}))
    }

    pub(super) fn purge_queue(&self, body: &[u8]) -> Result<Value, Refusal> {
        let request: OfQueue = read(body)?;
        self.account().purge(self.queue_name(&request.queue_url)?, self.now())?;
        Ok(json!({}))
    }

    /// One page of sorted names as URLs. The token is the last name of the page before.
    fn page(&self, member: &str, names: Vec<String>, request: &List) -> Result<Value, Refusal> {
        let most = request.max_results.unwrap_or(PAGE);
        if !(1..=PAGE).contains(&most) {
            return Err(sqs::Error::InvalidParameterValue {
                parameter: "MaxResults".to_owned(),
                value: most.to_string(),
                reason: format!("Must be between 1 and {PAGE}"),
            }
            .into());
        }
        // Without a token it is empty, and every name comes after it.
        let rest: Vec<&String> = names.iter().filter(|name| **name > request.next_token).collect();
        let urls: Vec<String> = rest.iter().take(most).map(|name| self.queue_url(name)).collect();
        let mut answer = json!({ member: urls });
        // As on AWS, only who names a page size gets a token.
        if request.max_results.is_some() && rest.len() > most {
            answer["NextToken"] = rest[most - 1].as_str().into();
        }
        Ok(answer)
    }
}
