//! The fields of a `[[provider]]` block of kind `http` that say what to send.

use reqwest::Method;
use reqwest::header::{self, HeaderName};
use serde_json::json;
use shared::settings::schema::{table_of, text_like};
use shared::settings::{Faults, Key, Schema, Section, Shape, Value, key};

use super::credential_names::must_stand_outside;
use super::json::Json;
use super::request::{Content, Request};
use super::template::Template;
use super::variables::Variable;
use crate::provider::fields::{self, Field};
use crate::provider::http::BasicAuth;
use crate::provider::{BaseUrl, Resolve};

const METHODS: [(&str, Method); 3] = [("POST", Method::POST), ("PUT", Method::PUT), ("GET", Method::GET)];

/// What says how a request is cut out of the connection, and where it goes.
const OURS: [HeaderName; 8] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
];

impl Request {
    /// Takes the fields that describe the request; None when it cannot be known, for reasons that are in `faults`.
    pub(super) fn read(
        section: &mut Section<'_>,
        name: &str,
        resolve: &Resolve<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        const BASE_URL: Key = key("base_url", "The gateway's address, such as \"https://sms.example.com\".");
        const METHOD: Key = key("method", "How the request is made; GET has no body and wants query.");
        const PATH: Key = key("path", "The path below base_url; it may hold variables such as {{to}}.");
        const QUERY: Key = key("query", "Fields of the URL's query; their texts may hold variables.");
        const BASIC_AUTH: Key = key("basic_auth", "User and password of HTTP's Basic authentication.");
        const HEADERS: Key = key("headers", "Headers of the request; their texts may hold variables and placeholders.");
        let mut own = Faults::default();
        let missing = format!("provider {name} needs base_url, such as \"https://sms.example.com\"");
        section.require(BASE_URL.name(), missing, &mut own);
        let base_url = section.parsed(BASE_URL, BaseUrl::schema, BaseUrl::parse, &mut own);
        let method_is_given = section.has(METHOD.name());
        let method = section.word(METHOD, &METHODS, "is no method to send with", &mut own);
        let method = if method_is_given { method } else { Some(Method::POST) };
        let path = section.value(PATH, || text_like("^/", "")).map(|value| path(&value, resolve, &mut own));
        let query = section.value(QUERY, pairs_schema).map(|value| pairs(&value, resolve, &mut own));
        let basic_auth = section.section(BASIC_AUTH, &mut own);
        let basic_auth = basic_auth.and_then(|block| self::basic_auth(block, resolve, &mut own));
        let headers =
            section.value(HEADERS, pairs_schema).map(|value| headers(&value, basic_auth.is_some(), resolve, &mut own));
        let content = content(section, name, method.as_ref(), resolve, &mut own);
        let sound = own.is_empty();
        faults.extend(own);
        if !sound {
            return None;
        }
        let request = Self {
            method: method?,
            base_url: base_url?,
            path: path.unwrap_or_default(),
            query: query.unwrap_or_default(),
            headers: headers.unwrap_or_default(),
            basic_auth,
            content: content?,
        };
        let variables = request.variables();
        if !variables.contains(&Variable::To) && !variables.contains(&Variable::ToDigits) {
            let fault = "sends the number nowhere: add {{to}} or {{to_digits}}";
            section.fault(format!("provider {name} {fault}"), faults);
        }
        if !variables.contains(&Variable::Text) {
            section.fault(format!("provider {name} sends the text nowhere: add {{{{text}}}}"), faults);
        }
        Some(request)
    }
}

fn content(
    section: &mut Section<'_>,
    name: &str,
    method: Option<&Method>,
    resolve: &Resolve<'_>,
    faults: &mut Faults,
) -> Option<Content> {
    const JSON: Key = key("json", "The body as JSON; its texts may hold variables and placeholders.");
    const FORM: Key = key("form", "The body as a form; its texts may hold variables and placeholders.");
    let json = section.value(JSON, || json!({ "type": ["object", "array"] }));
    let form = section.value(FORM, pairs_schema);
    let is_get = method == Some(&Method::GET);
    let fault = match (json, form) {
        (Some(_), Some(_)) => "has two bodies: remove either json or form",
        (None, None) if is_get || method.is_none() => return Some(Content::None),
        (None, None) => "needs a body: add json or form",
        (Some(_), None) | (None, Some(_)) if is_get => {
            "has a body, which GET cannot carry: move it to query, or remove method"
        }
        (Some(json), None) => {
            if !matches!(json.shape(), Shape::Table(_) | Shape::List(_)) {
                json.fault("must be a table or a list", faults);
                return None;
            }
            return Json::read(&json, resolve, faults).map(Content::Json);
        }
        (None, Some(form)) => return Some(Content::Form(pairs(&form, resolve, faults))),
    };
    section.fault(format!("provider {name} {fault}"), faults);
    None
}

/// The path's segments. A slash at the end is kept, as an empty last segment.
fn path(value: &Value<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Vec<Template> {
    let Shape::Text(text) = value.shape() else {
        value.fault("must be a text in quotes", faults);
        return Vec::new();
    };
    let Some(below) = text.strip_prefix('/') else {
        value.fault("must begin with a slash; leave it out where base_url is the whole address", faults);
        return Vec::new();
    };
    let mut byte = 1;
    let mut segments = Vec::new();
    for segment in below.split('/') {
        match Template::parse(segment, resolve) {
            Ok(_) if segment.contains(['?', '#']) => {
                value.fault_within(byte, "has a ? or #: use query for those", faults)
            }
            Ok(_) if matches!(segment, "." | "..") => {
                value.fault_within(byte, "must not lead elsewhere by dots", faults)
            }
            Ok(template) => segments.push(template),
            Err(error) => value.fault_within(byte + error.byte, &error.message, faults),
        }
        byte += segment.len() + 1;
    }
    segments
}

/// What [`pairs`] reads.
fn pairs_schema() -> Schema {
    table_of(json!({ "type": ["string", "integer", "boolean"] }))
}

/// A table of texts with holes, in the file's order.
fn pairs(value: &Value<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Vec<(String, Template)> {
    let Shape::Table(entries) = value.shape() else {
        value.fault("must be a table of texts", faults);
        return Vec::new();
    };
    let mut pairs = Vec::new();
    for (key, value) in entries {
        let template = match value.shape() {
            Shape::Text(text) => Template::parse(text, resolve),
            Shape::Integer(number) => Template::parse(&number.to_string(), resolve),
            Shape::Flag(flag) => Template::parse(&flag.to_string(), resolve),
            Shape::Float(_) | Shape::List(_) | Shape::Table(_) | Shape::Other => {
                value.fault("must be a text in quotes", faults);
                continue;
            }
        };
        match template {
            Ok(template) => {
                if template.is_written() {
                    must_stand_outside(key, &value, faults);
                }
                pairs.push((key.to_owned(), template));
            }
            Err(error) => value.fault_within(error.byte, &error.message, faults),
        }
    }
    pairs
}

fn headers(
    value: &Value<'_>,
    has_basic_auth: bool,
    resolve: &Resolve<'_>,
    faults: &mut Faults,
) -> Vec<(HeaderName, Template)> {
    let mut headers: Vec<(HeaderName, Template)> = Vec::new();
    let places = match value.shape() {
        Shape::Table(entries) => entries,
        Shape::Text(_) | Shape::Integer(_) | Shape::Float(_) | Shape::Flag(_) | Shape::List(_) | Shape::Other => {
            Vec::new()
        }
    };
    for (name, template) in pairs(value, resolve, faults) {
        let place = places.iter().find(|(key, _)| *key == name).map_or(value, |(_, value)| value);
        let Ok(header) = HeaderName::try_from(&name) else {
            place.fault("is no name of a header", faults);
            continue;
        };
        let fault = if OURS.contains(&header) {
            "is set by the HTTP client: remove it"
        } else if has_basic_auth && header == header::AUTHORIZATION {
            "stands beside basic_auth: remove either"
        } else if headers.iter().any(|(other, _)| *other == header) {
            "stands there twice: names of headers differ by more than their case"
        } else if template.variables().any(|variable| variable == Variable::Text) {
            "would put the text into a header, which can hold neither line breaks nor letters such as é"
        } else if !template.fixed_parts_are(|text| text.bytes().all(|byte| matches!(byte, b' '..=b'~'))) {
            "holds something other than printable ASCII, perhaps in what a placeholder stands for"
        } else {
            headers.push((header, template));
            continue;
        };
        place.fault(fault, faults);
    }
    headers
}

fn basic_auth(mut block: Section<'_>, resolve: &Resolve<'_>, faults: &mut Faults) -> Option<BasicAuth> {
    const USER: Key = key("user", "The user's name.");
    const PASSWORD: Key = key("password", "The password.");
    let user = |text: &str| match text {
        "" => Err("is empty"),
        text if text.contains(':') || text.contains(char::is_control) => {
            Err("holds a colon or control character, which Basic authentication cannot carry")
        }
        _ => Ok(()),
    };
    let user = fields::text(&mut block, USER, || text_like("^[^:]+$", ""), resolve, user, faults);
    let password = fields::secret(&mut block, PASSWORD, resolve, faults);
    if user.is_absent() || password.is_absent() {
        block.fault("basic_auth needs user and password", faults);
    }
    block.finish(faults);
    match (user, password) {
        (Field::Sound(user), Field::Sound(password)) => Some(BasicAuth { user, password }),
        (Field::Absent | Field::Faulty | Field::Sound(_), _) => None,
    }
}
