//! Lambda's API as far as a user pool invokes its trigger, before the producer.
//!
//! cognito-local has no CustomSMSSender: it hands SMS to CustomEmailSender too. The names are changed here, and nothing
//! else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use local::lambda::{Function, Invocation, Outcome};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long Cognito waits for a trigger.
const COGNITOS_PATIENCE: Duration = Duration::from_secs(5);

/// A running endpoint. It stops when dropped.
pub(crate) struct Trigger {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Trigger {
    /// Answers invocations with what the producer makes of them.
    pub(crate) async fn start(producer: Arc<Function>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let producer = Arc::clone(&producer);
                let service = service_fn(move |request| {
                    let producer = Arc::clone(&producer);
                    async move { Ok::<_, Infallible>(invoke(&producer, request).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, serving }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn invoke(producer: &Function, request: Request<Incoming>) -> Response<Full<Bytes>> {
    assert_eq!(request.uri().path(), "/2015-03-31/functions/producer/invocations");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut event: Value = serde_json::from_slice(&body).unwrap();
    rename(&mut event["triggerSource"], "CustomEmailSender_", "CustomSMSSender_");
    rename(&mut event["request"]["type"], "customEmailSender", "customSMSSender");
    let outcome = producer.invoke(event.to_string().as_bytes(), Invocation::within(COGNITOS_PATIENCE)).await;
    let answer = Response::builder();
    match outcome {
        // The answer of a sender trigger is not looked at; cognito-local wants an object.
        Outcome::Answered(_) => answer.body(Full::from("{}")),
        Outcome::Failed { .. } | Outcome::Exited { .. } | Outcome::TimedOut => {
            let body = serde_json::json!({ "errorMessage": format!("{outcome:?}") });
            answer.header("x-amz-function-error", "Unhandled").body(Full::from(body.to_string()))
        }
    }
    .unwrap()
}

fn rename(name: &mut Value, from: &str, to: &str) {
    let new = name.as_str().and_then(|name| name.strip_prefix(from)).map(|rest| format!("{to}{rest}"));
    *name = new.unwrap_or_else(|| panic!("{name} does not begin with {from}")).into();
}
