//! An SMS as the HTTP request that an adapter makes of it: what is sent, and what a dry run shows.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use zeroize::Zeroizing;

/// One whole request, but for what HTTP itself adds (`host`, `user-agent`, `content-length`).
///
/// It holds the message and the credentials, so `Debug` shows the method only. Its parts are for sending, and for a dry
/// run with settings in which placeholders stand for themselves
/// ([`Checked`](crate::config::Checked)).
pub struct OutgoingRequest {
    head: Request,
    content: Zeroizing<String>,
}

impl OutgoingRequest {
    /// The content is zeroed when dropped; the copies that the HTTP library makes of URL and headers are not.
    pub(super) fn new(method: Method, url: Url, content: Zeroizing<String>) -> Self {
        Self { head: Request::new(method, url), content }
    }

    /// Sets a header, in place of one of the same name.
    pub(super) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.head.headers_mut().insert(name, value);
    }

    /// The request without its content, and the content.
    pub(super) fn into_parts(self) -> (Request, Zeroizing<String>) {
        (self.head, self.content)
    }

    pub fn method(&self) -> &str {
        self.head.method().as_str()
    }

    pub fn url(&self) -> &Url {
        self.head.url()
    }

    /// Names and values, sorted by name.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let text = |value| HeaderValue::to_str(value).expect("adapters write printable ASCII into headers");
        let mut headers: Vec<_> =
            self.head.headers().iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        headers.sort_unstable();
        headers
    }

    /// The body; empty where there is none.
    pub fn content(&self) -> &str {
        &self.content
    }
}

impl std::fmt::Debug for OutgoingRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingRequest").field("method", self.head.method()).finish_non_exhaustive()
    }
}
