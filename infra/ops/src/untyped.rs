//! Calls to AWS whose members have no types here: signed, retried and timed out by what the SDK's clients are made of.
//!
//! A user pool is read and written back whole, and a typed client would lose each member that is newer than itself.
//! The clients of Lambda and CloudWatch Logs are left out for another reason: they bring event streams, which change
//! the features of a crate below all clients, and the Encryption SDK would be compiled twice.

use std::error::Error;
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
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use serde_json::Value;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Of a call with all its attempts, so that no command hangs.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);
/// Of a refusal's message: it is another program's text.
const LONGEST_MESSAGE: usize = 300;

/// A service that is called so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Amazon Cognito user pools.
    UserPools,
    Lambda,
    /// CloudWatch Logs.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only `send` reads logs"))]
    Logs,
}

/// AWS, for calls without types.
pub(crate) struct Untyped<'a> {
    aws: &'a SdkConfig,
    region: Region,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{operation} was refused: {refusal}{}", needed(.service, operation, refusal))]
    Refused { service: Service, operation: &'static str, refusal: Refusal },
    #[error("{operation} was not answered: {cause}")]
    NotAnswered { operation: &'static str, cause: String },
}

/// What a service says when it does not do it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}{}{message}", if message.is_empty() { "" } else { ": " })]
pub(crate) struct Refusal {
    /// The error's name, such as `ResourceNotFoundException`.
    pub(crate) code: String,
    /// The service's own words, cut to a bearable length.
    pub(crate) message: String,
    metadata: ErrorMetadata,
}

impl Refusal {
    /// Whether whoever asked has no right to.
    pub(crate) fn is_missing_right(&self) -> bool {
        matches!(self.code.as_str(), "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation")
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }
}

/// The right that a refusal for want of one asks for. IAM's actions are named like the operations, but for one.
fn needed(service: &Service, operation: &str, refusal: &Refusal) -> String {
    let action = if operation == "Invoke" { "InvokeFunction" } else { operation };
    match refusal.is_missing_right() {
        true => format!(" (it needs the right {}:{action})", service.signing_name()),
        false => String::new(),
    }
}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl CallError {
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            Self::NotAnswered { .. } => None,
        }
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
        self.call(service, operation, "POST", "/", &headers, request.to_string()).await
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
        self.call(service, operation, method, path_and_query, &headers, body).await
    }

    async fn call(
        &self,
        service: Service,
        operation: &'static str,
        method: &'static str,
        path_and_query: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Value, CallError> {
        let uri = format!("{}{path_and_query}", self.endpoint(service).trim_end_matches('/'));
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
            .endpoint_url(&self.endpoint(service))
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

    /// As the SDK's clients find theirs: what the command line names, what the environment or the profile names for
    /// this service or for all, AWS's own.
    fn endpoint(&self, service: Service) -> String {
        let given = self.aws.endpoint_url().map(str::to_owned);
        let is_of_command_line = self.aws.get_origin("endpoint_url").is_client_config();
        let own = self.aws.service_config().filter(|_| !is_of_command_line).and_then(|config| {
            let key = ServiceConfigKey::builder()
                .service_id(service.id())
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .expect("all fields are set");
            config.load_config(key)
        });
        own.or(given).unwrap_or_else(|| self.endpoint_of_aws(service))
    }

    fn endpoint_of_aws(&self, service: Service) -> String {
        let region = self.region.as_ref();
        let fips = if self.aws.use_fips() == Some(true) { "-fips" } else { "" };
        let suffix = match (region.starts_with("cn-"), self.aws.use_dual_stack() == Some(true)) {
            (false, false) => "amazonaws.com",
            (false, true) => "api.aws",
            (true, false) => "amazonaws.com.cn",
            (true, true) => "api.amazonwebservices.com.cn",
        };
        format!("https://{}{fips}.{region}.{suffix}", service.signing_name())
    }
}

impl Service {
    /// Also the first part of its host name.
    fn signing_name(self) -> &'static str {
        match self {
            Self::UserPools => "cognito-idp",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
        }
    }

    /// Of `X-Amz-Target`; of no meaning for a service that speaks REST.
    fn target_prefix(self) -> &'static str {
        match self {
            Self::UserPools => "AWSCognitoIdentityProviderService",
            Self::Lambda => "AWSGirApiService",
            Self::Logs => "Logs_20140328",
        }
    }

    /// From which the SDK makes the names of settings, such as `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
    fn id(self) -> &'static str {
        match self {
            Self::UserPools => "Cognito Identity Provider",
            Self::Lambda => "Lambda",
            Self::Logs => "CloudWatch Logs",
        }
    }
}

/// An error with all that caused it, in their words alone: their `Debug` may show an answer, and what it holds.
pub(crate) fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[expect(clippy::result_large_err, reason = "what a deserializer returns is the orchestrator's choice")]
fn read(response: &HttpResponse) -> Result<Value, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(refusal(response, body)));
    }
    // Some answers have no body: nothing is said in them.
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|_| OrchestratorError::other("the answer is not JSON"))
}

fn refusal(response: &HttpResponse, body: &[u8]) -> Refusal {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body[*name].as_str());
    let code = response.headers().get("x-amzn-errortype").or_else(|| text(&["__type", "code", "Code"]));
    // `com.amazonaws.cognito#NotAuthorizedException`, `ResourceNotFoundException:http://…`
    let code = code.and_then(|code| code.split(':').next()?.rsplit('#').next());
    let code = code.map_or_else(|| format!("HTTP status {}", response.status()), |code| shortened(code, 80));
    let message = shortened(text(&["message", "Message", "errorMessage"]).unwrap_or_default(), LONGEST_MESSAGE);
    let metadata = ErrorMetadata::builder().code(&code).build();
    Refusal { code, message, metadata }
}

fn shortened(text: &str, longest: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}
