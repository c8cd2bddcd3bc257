//! The configured request: method, URL, headers and body, with holes for the message.

use form_urlencoded::Serializer;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use zeroize::Zeroizing;

use super::json::Json;
use super::template::Template;
use super::variables::{Values, Variable};
use crate::provider::http::BasicAuth;
use crate::provider::{BaseUrl, OutgoingRequest};

/// A request for which only the message is missing.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) base_url: BaseUrl,
    /// The segments below the base URL.
    pub(super) path: Vec<Template>,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) basic_auth: Option<BasicAuth>,
    pub(super) content: Content,
}

pub(super) enum Content {
    None,
    Json(Json),
    Form(Vec<(String, Template)>),
}

impl Request {
    /// The request for one message. A header of the configuration takes the place of ours.
    pub(super) fn fill(&self, values: &Values<'_>) -> OutgoingRequest {
        let mut request = OutgoingRequest::new(self.method.clone(), self.url(values), self.content.fill(values));
        request.set(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(content_type) = self.content.content_type() {
            request.set(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in &self.headers {
            request.set(name.clone(), header(value, values));
        }
        if let Some(basic_auth) = &self.basic_auth {
            request.set(AUTHORIZATION, basic_auth.header());
        }
        request
    }

    fn url(&self, values: &Values<'_>) -> Url {
        let segments: Vec<_> = self.path.iter().map(|segment| segment.fill(values)).collect();
        let mut url = self.base_url.below(segments.iter().map(|segment| segment.as_str()));
        if !self.query.is_empty() {
            // %20 is a space for every reader, + is one for readers of forms only. A plus sign itself is %2B by now.
            let query = form(&self.query, values);
            url.set_query(Some(&Zeroizing::new(query.replace('+', "%20"))));
        }
        url
    }

    /// Every variable that stands anywhere in it.
    pub(super) fn variables(&self) -> Vec<Variable> {
        let pairs = self.query.iter().map(|(_, value)| value);
        let pairs = pairs.chain(self.headers.iter().map(|(_, value)| value)).chain(&self.path);
        pairs.flat_map(Template::variables).chain(self.content.variables()).collect()
    }
}

impl Content {
    fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Json(_) => Some("application/json"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
        }
    }

    fn fill(&self, values: &Values<'_>) -> Zeroizing<String> {
        match self {
            Self::None => Zeroizing::default(),
            Self::Json(json) => json.fill(values),
            Self::Form(pairs) => form(pairs, values),
        }
    }

    fn variables(&self) -> Vec<Variable> {
        match self {
            Self::None => Vec::new(),
            Self::Json(json) => json.variables(),
            Self::Form(pairs) => pairs.iter().flat_map(|(_, value)| value.variables()).collect(),
        }
    }
}

fn form(pairs: &[(String, Template)], values: &Values<'_>) -> Zeroizing<String> {
    let filled: Vec<_> = pairs.iter().map(|(key, value)| (key, value.fill(values))).collect();
    // Room for everything, escaped as %XX: a string that grows leaves copies behind.
    let longest = filled.iter().map(|(key, value)| 3 * (key.len() + value.len()) + 2).sum();
    let mut form = Serializer::new(String::with_capacity(longest));
    form.extend_pairs(filled.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    Zeroizing::new(form.finish())
}

/// May hold a credential, so none is shown by the HTTP library.
fn header(value: &Template, values: &Values<'_>) -> HeaderValue {
    let mut value = HeaderValue::from_str(&value.fill(values))
        .expect("the settings let only printable ASCII and variables of that kind into headers");
    value.set_sensitive(true);
    value
}
