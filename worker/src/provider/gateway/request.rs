//! The configured request: method, URL, headers and body, with holes for the message.

use form_urlencoded::Serializer;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use zeroize::Zeroizing;

use super::json::Json;
use super::template::Template;
use super::variables::{Values, Variable};
use crate::provider::BaseUrl;
use crate::provider::http::BasicAuth;

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
    /// The request for one message, and its content beside it. The copies that the HTTP library makes of URL and
    /// headers are not zeroed.
    pub(super) fn fill(&self, client: &Client, values: &Values<'_>) -> (RequestBuilder, Zeroizing<String>) {
        let mut request = client.request(self.method.clone(), self.url(values));
        request = request.header(ACCEPT, "application/json");
        if let Some(content_type) = self.content.content_type() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request =
            request.headers(self.headers.iter().map(|(name, value)| (name.clone(), header(value, values))).collect());
        if let Some(basic_auth) = &self.basic_auth {
            request = basic_auth.apply(request);
        }
        (request, self.content.fill(values))
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
