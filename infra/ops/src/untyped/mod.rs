//! Calls to AWS whose members have no types here: signed, retried and timed out by what the SDK's clients are made of.
//!
//! A user pool is read and written back whole, and a typed client would lose each member that is newer than itself.
//! The clients of Lambda and CloudWatch Logs are left out for another reason: they bring event streams, which change
//! the features of a crate below all clients, and the Encryption SDK would be compiled twice.

mod refusal;
mod service;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{self, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use serde_json::Value;

pub(crate) use refusal::{CallError, Refusal, in_words, is_missing_right};
pub(crate) use service::Service;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Of a call with all its attempts, so that no command hangs.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);

/// AWS, for calls without types.
pub(crate) struct Untyped<'a> {
    aws: &'a SdkConfig,
    region: Region,
}

/// What a service answers.
#[derive(Debug)]
pub(crate) struct Answer {
    headers: Headers,
    /// Null where there is no body.
    pub(crate) body: Value,
}

impl Answer {
    #[cfg_attr(
        not(feature = "local"),
        expect(dead_code, reason = "only the answers that `send` gets say anything there")
    )]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

impl<'a> Untyped<'a> {
    pub(crate) fn new(aws: &'a SdkConfig) -> Self {
        let region = aws.region().cloned().expect("the tool loads no configuration without a region");
        Self { aws, region }
    }

    /// Calls an operation of a service that speaks JSON 1.1, such as Cognito's.
    ///
    /// # Errors
    /// When the service refuses, or does not answer.
    pub(crate) async fn json(
        &self,
        service: Service,
        operation: &'static str,
        request: &Value,
    ) -> Result<Value, CallError> {
        let target = format!("{}.{operation}", service.target_prefix());
        let headers = [("content-type", "application/x-amz-json-1.1".to_owned()), ("x-amz-target", target)];
        let answer = self.call(service, operation, "POST", "/", &headers, request.to_string()).await?;
        Ok(answer.body)
    }

    /// Calls an operation of a service that speaks REST with JSON, such as Lambda's.
    ///
    /// # Errors
    /// When the service refuses, or does not answer.
    pub(crate) async fn rest(
        &self,
        service: Service,
        operation: &'static str,
        method: &'static str,
        path_and_query: &str,
        body: Option<&Value>,
    ) -> Result<Value, CallError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let headers = [("content-type", "application/json".to_owned())];
        let answer = self.call(service, operation, method, path_and_query, &headers, body).await?;
        Ok(answer.body)
    }

    /// Invokes a Lambda function with `payload` and waits for its answer
    /// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>). Its log's last 4 KiB are asked for too.
    ///
    /// # Errors
    /// When Lambda refuses, or does not answer. What the function itself answers is a result, an error of its own
    /// included: then there is the header `x-amz-function-error`.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only `send` invokes functions"))]
    pub(crate) async fn invoke(&self, function: &str, payload: &Value) -> Result<Answer, CallError> {
        let path = format!("/2015-03-31/functions/{}/invocations", function.replace(':', "%3A"));
        let headers = [("content-type", "application/json".to_owned()), ("x-amz-log-type", "Tail".to_owned())];
        self.call(Service::Lambda, "Invoke", "POST", &path, &headers, payload.to_string()).await
    }

    async fn call(
        &self,
        service: Service,
        operation: &'static str,
        method: &'static str,
        path_and_query: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Answer, CallError> {
        let uri = format!("{}{path_and_query}", service.endpoint(self.aws, &self.region).trim_end_matches('/'));
        let headers = headers.to_vec();
        let serialize = move |body: String| {
            let mut request = HttpRequest::new(SdkBody::from(body));
            request.set_method(method)?;
            request.set_uri(uri.as_str())?;
            for (name, value) in &headers {
                request.headers_mut().insert(*name, value.clone());
            }
            request.headers_mut().insert("user-agent", concat!("sealpost/", env!("CARGO_PKG_VERSION")));
            Ok(request)
        };
        let retries = self.aws.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT);
        let mut call = Operation::builder()
            .service_name(service.signing_name())
            .operation_name(operation)
            .endpoint_url(&service.endpoint(self.aws, &self.region))
            .standard_retry(&retries)
            .timeout_config(timeouts.build())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.signature(service));
        if let Some(client) = self.aws.http_client() {
            call = call.http_client(client);
        }
        if let Some(sleep) = self.aws.sleep_impl() {
            call = call.sleep_impl(sleep);
        }
        if let Some(time) = self.aws.time_source() {
            call = call.time_source(time);
        }
        let call = call.serializer(serialize).deserializer(read).build();
        call.invoke(body).await.map_err(|error| match error.as_service_error() {
            Some(refusal) => CallError::Refused { service, operation, refusal: refusal.clone() },
            None => CallError::NotAnswered { operation, cause: in_words(&error) },
        })
    }

    fn signature(&self, service: Service) -> StaticRuntimePlugin {
        let mut config = Layer::new("signature");
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(self.region.clone())),
            name: Some(SigningName::from(service.signing_name())),
            ..SigV4OperationSigningConfig::default()
        });
        let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
        let mut components = RuntimeComponentsBuilder::new("signature")
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(schemes))
            .with_identity_cache(self.aws.identity_cache());
        if let Some(credentials) = self.aws.credentials_provider() {
            components.set_identity_resolver(sigv4::SCHEME_ID, credentials);
        }
        StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
    }
}

#[expect(clippy::result_large_err, reason = "what a deserializer returns is the orchestrator's choice")]
fn read(response: &HttpResponse) -> Result<Answer, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(Refusal::of(response, body)));
    }
    // Some answers have no body: nothing is said in them.
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(|_| OrchestratorError::other("the answer is not JSON"))?
    };
    Ok(Answer { headers: response.headers().clone(), body })
}
