//! Lambda's API as far as a deployment uses it (<https://docs.aws.amazon.com/lambda/latest/api/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::world::REGION;

/// A client for one account.
pub(crate) struct Lambda {
    http: reqwest::Client,
    endpoint: String,
    account: String,
}

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Invoked {
    pub(crate) status: u16,
    /// The header that tells an answer from an error.
    pub(crate) function_error: Option<String>,
    pub(crate) payload: Value,
}

impl Lambda {
    pub(crate) fn new(endpoint: String, account: String) -> Self {
        Self { http: reqwest::Client::new(), endpoint, account }
    }

    /// Creates a function of a deployment package.
    pub(crate) async fn create(&self, name: &str, package: &[u8], timeout: u64, environment: &Value) {
        let function = json!({
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Architectures": ["x86_64"],
            "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::{}:role/{name}", self.account),
            "Code": { "ZipFile": STANDARD.encode(package) },
            "Timeout": timeout,
            "MemorySize": 256,
            "Environment": { "Variables": environment },
        });
        self.post("functions", &function).await;
    }

    /// Feeds the function from the queue.
    pub(crate) async fn map(&self, queue_arn: &str, function: &str) {
        let mapping = json!({
            "EventSourceArn": queue_arn,
            "FunctionName": function,
            "BatchSize": 10,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        });
        self.post("event-source-mappings", &mapping).await;
    }

    /// Invokes a function and waits for it, as Cognito does.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Invoked {
        self.invoke_as("RequestResponse", function, event).await
    }

    /// Hands in an invocation and does not wait for it.
    pub(crate) async fn invoke_later(&self, function: &str, event: &Value) -> Invoked {
        self.invoke_as("Event", function, event).await
    }

    async fn invoke_as(&self, kind: &str, function: &str, event: &Value) -> Invoked {
        let request = self.request(&format!("functions/{function}/invocations"), event);
        let answer = request.header("x-amz-invocation-type", kind).send().await.unwrap();
        let status = answer.status().as_u16();
        let function_error = answer.headers().get("x-amz-function-error");
        let function_error = function_error.map(|value| value.to_str().unwrap().to_owned());
        let payload = answer.bytes().await.unwrap();
        Invoked { status, function_error, payload: serde_json::from_slice(&payload).unwrap_or_default() }
    }

    async fn post(&self, resource: &str, body: &Value) {
        let answer = self.request(resource, body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{resource}: {status}: {text}");
    }

    fn request(&self, resource: &str, body: &Value) -> reqwest::RequestBuilder {
        // MiniStack takes the account from the signature, and does not verify it.
        let credential = format!("{}/20260101/{REGION}/lambda/aws4_request", self.account);
        self.http
            .post(format!("{}/2015-03-31/{resource}", self.endpoint))
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
            )
            .header("content-type", "application/json")
            .body(body.to_string())
    }
}
