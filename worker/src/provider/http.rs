//! What the adapters share that speak HTTP: the client, and one exchange under one time limit that knows whether
//! the message can have left this process.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use shared::settings::{Faults, Key, Section, key};
use shared::{Clock, Timestamp};
use zeroize::Zeroizing;

use super::held::Held;
use super::{Attempt, Outcome, OutcomeCode, OutgoingRequest};

/// Longer answers are not read: no provider's answer to one SMS comes near.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// No provider may put a message off for longer by its Retry-After.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Node.js servers close an idle connection after 5 s, load balancers after 60 s. A request written to a connection
/// that is just being closed has an unknown outcome, and that costs more than a handshake.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(8);
const ALLOWED_TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// How an adapter wants to connect.
#[derive(Clone, Copy, Debug)]
pub struct HttpSettings {
    /// The most that DNS, TCP and TLS may take together.
    pub connect_timeout: Duration,
    /// Refuse everything but https. False only for a base URL on this machine.
    pub https_only: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { connect_timeout: DEFAULT_CONNECT_TIMEOUT, https_only: true }
    }
}

/// A provider block's `connect_timeout` and `timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeouts {
    /// The most that DNS, TCP and TLS may take together.
    pub(super) connect: Duration,
    /// The most that one attempt may take; the caller's own limit may be shorter.
    pub(super) attempt: Duration,
}

impl Timeouts {
    /// Takes both; one that is missing or faulty has its default.
    pub(super) fn read(section: &mut Section<'_>, faults: &mut Faults) -> Self {
        const CONNECT: Key = key("connect_timeout", "The most that DNS, TCP and TLS may take together.");
        const ATTEMPT: Key = key("timeout", "The most that one attempt may take.");
        let connect = section.duration(CONNECT, ALLOWED_TIMEOUTS, faults);
        let attempt = section.duration(ATTEMPT, ALLOWED_TIMEOUTS, faults);
        Self { connect: connect.unwrap_or(DEFAULT_CONNECT_TIMEOUT), attempt: attempt.unwrap_or(DEFAULT_TIMEOUT) }
    }
}

/// The two halves of HTTP's Basic authentication (RFC 7617).
pub(super) struct BasicAuth {
    pub(super) user: String,
    pub(super) password: SecretString,
}

impl BasicAuth {
    /// The value of the header `authorization`.
    pub(super) fn header(&self) -> HeaderValue {
        let both = Zeroizing::new(format!("{}:{}", self.user, self.password.expose_secret()));
        let value = Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(both.as_bytes())).as_str()));
        let mut value = HeaderValue::from_str(&value).expect("Base64 is ASCII");
        value.set_sensitive(true);
        value
    }
}

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error(
    "the HTTPS client for the SMS providers could not be set up; are root certificates installed (ca-certificates)?"
)]
pub struct HttpClientError(#[source] reqwest::Error);

/// A client that pools connections and does nothing of its own accord: no redirects, cookies, retries or compression.
/// Proxy variables of the environment are ignored: an inherited one would silently send codes elsewhere, and a proxy
/// that is meant can be named in `base_url`.
///
/// # Errors
/// When the system's root certificates cannot be read.
pub fn http_client(settings: &HttpSettings) -> Result<reqwest::Client, HttpClientError> {
    let client = reqwest::Client::builder();
    // Where nothing goes out over TLS, the system's root certificates are not read: it takes milliseconds.
    let client = if settings.https_only { client } else { client.tls_certs_only([]) };
    client
        .user_agent(concat!("sealpost/", env!("CARGO_PKG_VERSION")))
        .https_only(settings.https_only)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        .build()
        .map_err(|error| HttpClientError(error.without_url()))
}

/// Opens a connection to where `url` is and leaves it in the client's pool: by a bare `HEAD /`, which asks for nothing
/// and carries no credentials.
///
/// # Errors
/// When nobody answers: what went wrong.
pub(super) async fn open_connection(client: &reqwest::Client, url: &reqwest::Url) -> Result<(), OutcomeCode> {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    match client.head(root).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.is_dns() || error.is_connect() => Err(OutcomeCode::of_ours(not_sent_code(&error))),
        Err(_) => Err(OutcomeCode::of_ours("connection_lost")),
    }
}

/// What came of one request.
#[derive(Debug)]
pub(super) enum Exchange {
    Answered(Answer),
    /// The message provably never left this process.
    NotSent {
        code: &'static str,
    },
    /// The message may have arrived.
    Uncertain {
        code: &'static str,
    },
}

/// A provider's whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The Retry-After header, if there is a readable one; at most an hour.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: BoundedBody,
}

/// An answer's body, which may repeat text and number of the message: never shown, and zeroed when dropped.
pub(super) struct BoundedBody(Option<Zeroizing<Vec<u8>>>);

impl Exchange {
    /// What the exchange means: answers mean what `classify` says, the rest is the same for all providers.
    pub(super) fn into_attempt(self, classify: impl FnOnce(&Answer) -> Attempt) -> Attempt {
        match self {
            Self::Answered(answer) => classify(&answer),
            Self::NotSent { code } => Attempt::failed(Outcome::Transient { retry_after: None }, code),
            Self::Uncertain { code } => Attempt::failed(Outcome::Unknown, code),
        }
    }
}

impl BoundedBody {
    /// The bytes; none when there were more than 64 KiB of them.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.0.as_ref().map(|bytes| bytes.as_slice())
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(Some(Zeroizing::new(text.as_bytes().to_vec())))
    }

    #[cfg(test)]
    pub(super) fn too_long() -> Self {
        Self(None)
    }

    async fn read(mut response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
            return Ok(Self(None));
        }
        // Room for everything at once: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(MAX_BODY_BYTES)));
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > MAX_BODY_BYTES {
                return Ok(Self(None));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self(Some(bytes)))
    }
}

impl std::fmt::Debug for BoundedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bytes() {
            Some(bytes) => write!(f, "BoundedBody({} bytes)", bytes.len()),
            None => f.write_str("BoundedBody(too long)"),
        }
    }
}

/// Sends a request once and reads the whole answer, all within `timeout`.
pub(super) async fn exchange(
    client: &reqwest::Client,
    request: OutgoingRequest,
    timeout: Duration,
    clock: &Clock,
) -> Exchange {
    let (mut request, content) = request.into_parts();
    let without_content = content.is_empty();
    let held = Held::new(content);
    *request.body_mut() = Some(reqwest::Body::wrap(held.content()));
    let whole = async {
        let response = client.execute(request).await.map_err(|error| Broken { waiting: true, error })?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value, clock.now()));
        let body = BoundedBody::read(response).await.map_err(|error| Broken { waiting: false, error })?;
        Ok(Answer { status, retry_after, body })
    };
    let broken: Option<Broken> = match tokio::time::timeout(timeout, whole).await {
        Ok(Ok(answer)) => return Exchange::Answered(answer),
        Ok(Err(broken)) => Some(broken),
        Err(_elapsed) => None,
    };
    // A request without content has nothing to take back. That it never left is then known only where no connection
    // came about; waiting too long for one that might have come about proves nothing.
    let unconnected = broken.as_ref().is_some_and(|broken| broken.error.is_connect());
    let never_left = held.withdraw() || (without_content && unconnected);
    match broken {
        Some(Broken { error, .. }) if never_left => Exchange::NotSent { code: not_sent_code(&error) },
        Some(Broken { waiting: true, .. }) => Exchange::Uncertain { code: "connection_lost" },
        Some(Broken { waiting: false, .. }) => Exchange::Uncertain { code: "broken_answer" },
        // A message that has not left by now was still waiting for its connection.
        None if never_left => Exchange::NotSent { code: "connect_timeout" },
        None => Exchange::Uncertain { code: "timeout" },
    }
}

/// An exchange that broke off, while waiting for the answer's head or later.
struct Broken {
    waiting: bool,
    error: reqwest::Error,
}

/// Names what went wrong before anything of the message was sent. Of the error itself nothing is kept: its text
/// holds the URL.
fn not_sent_code(error: &reqwest::Error) -> &'static str {
    if error.is_dns() {
        return "dns";
    }
    if !error.is_connect() {
        return "not_sent";
    }
    if error.is_timeout() {
        return "connect_timeout";
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let io = cause.downcast_ref::<io::Error>();
        // TCP has no bytes to find invalid or missing before the handshake of TLS.
        if io.is_some_and(|io| matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)) {
            return "tls";
        }
        // An io::Error's source is what stands behind the error that it wraps, which would be skipped.
        source = match io.and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        };
    }
    "connect"
}

/// Reads Retry-After: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &HeaderValue, now: Timestamp) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().expect("a timestamp");
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("3601", Some(3600)),
            ("99999999999999999999999999", Some(3600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:48:00 GMT", Some(3600)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sat, 06 Nov 1994 08:49:37 GMT", None), // it was a Sunday
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ] {
            let value = HeaderValue::from_str(text).expect("a header value");
            assert_eq!(retry_after(&value, now), expected.map(Duration::from_secs), "{text}");
        }
        let not_text = HeaderValue::from_bytes(b"\xff1").expect("a header value");
        assert_eq!(retry_after(&not_text, now), None);
    }

    #[test]
    fn an_answer_shows_nothing_of_its_body() {
        let body = BoundedBody::of("{\"body\":\"Your code is 424242\"}");
        let shown = format!("{:?}", Exchange::Answered(Answer { status: 201, retry_after: None, body }));
        assert_eq!(shown, "Answered(Answer { status: 201, retry_after: None, body: BoundedBody(30 bytes) })");
        assert_eq!(format!("{:?}", BoundedBody::too_long()), "BoundedBody(too long)");
    }
}
