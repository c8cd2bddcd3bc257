//! A `[[provider]]` block of kind `http`.

use std::time::Duration;

use shared::settings::schema::one_or_list;
use shared::settings::{Faults, Key, Section, Shape, Value, key};

use super::classify::Answers;
use super::pointer::Pointer;
use super::request::Request;
use super::rules::Rule;
use crate::provider::http::Timeouts;
use crate::provider::{BaseUrl, Resolve};

const VALIDITIES: std::ops::RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);

/// How to send through a gateway of which Sealpost knows nothing.
pub struct HttpGatewaySettings {
    pub(crate) name: String,
    pub(super) request: Request,
    pub(super) answers: Answers,
    /// The longest validity that the gateway takes; none when it has no limit.
    pub(super) max_validity: Option<Duration>,
    pub(super) timeouts: Timeouts,
}

impl HttpGatewaySettings {
    /// Reads the block, whose `name` and `kind` the caller has already taken. None when anything is wrong with it;
    /// all of that is then in `faults`.
    pub fn read(
        mut section: Section<'_>,
        name: String,
        placeholders: &Resolve<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        const MAX_VALIDITY: Key =
            key("max_validity", "The longest validity that the gateway takes; no limit if unset.");
        let mut own = Faults::default();
        let request = Request::read(&mut section, &name, placeholders, &mut own);
        let answers = answers(&mut section, &name, &mut own);
        let max_validity = section.duration(MAX_VALIDITY, VALIDITIES, &mut own);
        let timeouts = Timeouts::read(&mut section, &mut own);
        section.finish(&mut own);
        let sound = own.is_empty();
        faults.extend(own);
        let request = request.filter(|_| sound)?;
        Some(Self { name, request, answers, max_validity, timeouts })
    }

    pub(crate) fn base_url(&self) -> &BaseUrl {
        &self.request.base_url
    }
}

/// Reads how answers are classified.
pub(super) fn answers(section: &mut Section<'_>, name: &str, faults: &mut Faults) -> Answers {
    let mut own = Faults::default();
    const MESSAGE_ID: Key = key("message_id", "JSON pointer to an accepted message's id.");
    const ERROR_CODE: Key =
        key("error_code", "JSON pointer to the code for logs and rules; of several the first that leads to one.");
    const RULES: Key = key("rules", "What an answer means: the first rule that matches decides.");
    let message_id = section.parsed(MESSAGE_ID, Pointer::schema, Pointer::parse, &mut own);
    let error_codes = section.value(ERROR_CODE, || one_or_list(Pointer::schema()));
    let error_codes = error_codes.map(|value| pointers(&value, &mut own)).unwrap_or_default();
    let blocks = section.sections(RULES, &mut own);
    let rules: Vec<_> = blocks.into_iter().filter_map(|block| Rule::read(block, &mut own)).collect();
    if error_codes.is_empty() && rules.iter().any(Rule::uses_error_code) {
        let fault = "has rules for error codes and does not say where they stand: add error_code = \"/pointer\"";
        section.fault(format!("provider {name} {fault}"), &mut own);
    }
    let answers = Answers { message_id, error_codes, rules };
    if own.is_empty() && !answers.know_success() {
        let fault = "does not say what success looks like, and a status alone does not: add message_id = \"/pointer\" \
                     where accepted messages have an id, or a rule with class = \"accepted\"";
        section.fault(format!("provider {name} {fault}"), &mut own);
    }
    faults.extend(own);
    answers
}

/// One pointer or a list of them.
fn pointers(value: &Value<'_>, faults: &mut Faults) -> Vec<Pointer> {
    let members = match value.shape() {
        Shape::List(members) => members,
        Shape::Text(_) | Shape::Integer(_) | Shape::Float(_) | Shape::Flag(_) | Shape::Table(_) | Shape::Other => {
            vec![value.clone()]
        }
    };
    let mut pointers = Vec::new();
    for member in members {
        let pointer = match member.shape() {
            Shape::Text(text) => Pointer::parse(text),
            Shape::Integer(_) | Shape::Float(_) | Shape::Flag(_) | Shape::List(_) | Shape::Table(_) | Shape::Other => {
                Err("must be a JSON pointer, or a list of them")
            }
        };
        match pointer {
            Ok(pointer) => pointers.push(pointer),
            Err(fault) => member.fault(fault, faults),
        }
    }
    pointers
}

impl std::fmt::Debug for HttpGatewaySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpGatewaySettings").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::HttpGateway;
    use super::super::sample::resolve;
    use super::*;
    use shared::settings::Document;

    const SOUND: &str = "base_url = \"https://sms.example.com\"\nform = { to = \"{{to}}\", text = \"{{text}}\" }\n\
                         message_id = \"/id\"\n";

    fn read(block: &str) -> Result<HttpGatewaySettings, String> {
        let text = format!("[[provider]]\n{block}");
        let (document, mut faults) = Document::parse(&text);
        let section = document.root().sections(key("provider", ""), &mut faults).pop().expect("one block");
        let settings = HttpGatewaySettings::read(section, "main".to_owned(), &resolve, &mut faults);
        faults.or(()).map(|()| settings.expect("no fault, so settings")).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_shortest_block_gets_the_defaults() {
        let settings = read(SOUND).expect("sound");
        assert_eq!(settings.request.method, reqwest::Method::POST);
        assert_eq!(settings.max_validity, None);
        assert_eq!(settings.timeouts, Timeouts { connect: Duration::from_secs(2), attempt: Duration::from_secs(8) });
        let further = "max_validity = \"48h\"\nconnect_timeout = \"1s\"\ntimeout = \"3s\"\nmethod = \"PUT\"\n";
        let settings = read(&format!("{SOUND}{further}")).expect("sound");
        assert_eq!(settings.request.method, reqwest::Method::PUT);
        assert_eq!(settings.max_validity, Some(Duration::from_hours(48)));
        assert_eq!(settings.timeouts, Timeouts { connect: Duration::from_secs(1), attempt: Duration::from_secs(3) });
    }

    #[test]
    fn readme_has_the_defaults_commented_out() {
        let (_, block) = include_str!("../../../../README.md").split_once("\nkind = \"http\"\n").expect("a sample");
        let (block, _) = block.split_once("```").expect("the block ends");
        let as_written = block.replace("GATEWAY_TOKEN", "TOKEN");
        let mut in_full = as_written.clone();
        for key in ["method", "connect_timeout", "timeout"] {
            let commented_out = format!("\n# {key} = ");
            assert!(in_full.contains(&commented_out), "{key}");
            in_full = in_full.replace(&commented_out, &format!("\n{key} = "));
        }
        let [as_written, in_full] = [as_written, in_full].map(|block| read(&block).expect("sound"));
        assert_eq!(in_full.request.method, as_written.request.method);
        assert_eq!(in_full.timeouts, as_written.timeouts);
    }

    #[test]
    fn each_fault_says_what_to_write_instead() {
        let base = "base_url = \"https://sms.example.com\"\n";
        let form = "form = { to = \"{{to}}\", text = \"{{text}}\" }\n";
        let id = "message_id = \"/id\"\n";
        let query = "query = { to = \"{{to}}\", text = \"{{text}}\" }\n";
        for (block, fault) in [
            (format!("{form}{id}"), "line 1, column 1: provider main needs base_url"),
            (format!("{base}{id}"), "line 1, column 1: provider main needs a body: add json or form"),
            (format!("{base}{id}{form}json = {{}}\n"), "provider main has two bodies: remove either json or form"),
            (
                format!("{base}{id}{form}method = \"GET\"\n"),
                "provider main has a body, which GET cannot carry: move it to",
            ),
            (
                format!("{base}{id}{query}method = \"get\"\n"),
                "method in [[provider]] is no method to send with; known here",
            ),
            (
                format!("{base}{id}json = \"{{}}\"\n"),
                "line 4, column 8: json in [[provider]] must be a table or a list",
            ),
            (
                format!("{base}{id}form = {{ to = \"{{{{to}}}}\" }}\n"),
                "line 1, column 1: provider main sends the text nowhere: add {{text}}",
            ),
            (
                format!("{base}{id}form = {{ text = \"{{{{text}}}}\" }}\n"),
                "line 1, column 1: provider main sends the number nowhere: add {{to}} or {{to_digits}}",
            ),
            (
                format!("{base}{form}"),
                "line 1, column 1: provider main does not say what success looks like, and a status alone does not: add",
            ),
            (
                format!("{base}{form}{id}rules = [{{ error_code = 7, class = \"unknown\" }}]\n"),
                "provider main has rules for error codes and does not say where they stand: add error_code",
            ),
            (
                format!("{base}{form}message_id = \"id\"\n"),
                "line 4, column 14: message_id in [[provider]] is no JSON pointer",
            ),
            (
                format!("{base}{form}{id}error_code = [\"/a\", \"b\"]\n"),
                "line 5, column 21: error_code[1] in [[provider]] is no JSON pointer",
            ),
            (
                format!("{base}{id}form = {{ to = \"{{{{to}}}}\", text = \"{{{{tex}}}}\" }}\n"),
                "line 4, column 33: form.text in [[provider]] names the variable tex, which does not exist; did you mean text?",
            ),
            (
                format!("{base}{id}{form}path = \"v1/send\"\n"),
                "line 5, column 8: path in [[provider]] must begin with a slash; leave it out where base_url is the whole",
            ),
            (
                format!("{base}{id}{form}path = \"/send?a=b\"\n"),
                "line 5, column 10: path in [[provider]] has a ? or #: use query",
            ),
            (
                format!("{base}{id}{form}path = \"/a/../b\"\n"),
                "column 12: path in [[provider]] must not lead elsewhere by dots",
            ),
            (
                format!("{base}{id}{form}path = \"/a/x{{{{too}}}}\"\n"),
                "line 5, column 13: path in [[provider]] names the variable",
            ),
            (
                format!("{base}{id}{form}headers = {{ Authorization = \"Bearer hush\" }}\n"),
                "headers.Authorization in [[provider]] must be a placeholder, since secrets do not belong in the file",
            ),
            (
                format!("{base}{id}{form}headers = {{ x-text = \"{{{{text}}}}\" }}\n"),
                "headers.x-text in [[provider]] would put the text into a header, which can hold neither",
            ),
            (
                format!("{base}{id}{form}headers = {{ x-token = \"${{env:BROKEN}}\" }}\n"),
                "headers.x-token in [[provider]] holds something other than printable ASCII, perhaps in what a placeholder",
            ),
            (
                format!("{base}{id}{form}headers = {{ \"a b\" = \"c\" }}\n"),
                "headers.a b in [[provider]] is no name of a header",
            ),
            (
                format!("{base}{id}{form}headers = {{ Content-Length = \"1\" }}\n"),
                "headers.Content-Length in [[provider]] is set by the HTTP client: remove it",
            ),
            (
                format!("{base}{id}{form}headers = {{ x-a = \"1\", X-A = \"2\" }}\n"),
                "line 5, column 30: headers.X-A in [[provider]] stands there twice",
            ),
            (
                format!(
                    "{base}{id}{form}headers = {{ authorization = \"${{env:TOKEN}}\" }}\n\
                     basic_auth = {{ user = \"u\", password = \"${{env:TOKEN}}\" }}\n"
                ),
                "headers.authorization in [[provider]] stands beside basic_auth: remove either",
            ),
            (
                format!("{base}{id}{form}basic_auth = {{ user = \"u\", password = \"hush\" }}\n"),
                "password in [provider.basic_auth] must be a placeholder, since secrets do not belong in the file",
            ),
            (
                format!("{base}{id}{form}basic_auth = {{ user = \"u:hush\", password = \"${{env:TOKEN}}\" }}\n"),
                "user in [provider.basic_auth] holds a colon or control character",
            ),
            (format!("{base}{id}{form}basic_auth = {{ user = \"u\" }}\n"), "basic_auth needs user and password"),
            (
                format!("{base}{id}{form}max_validity = \"5s\"\n"),
                "max_validity in [[provider]] must lie between 60s and",
            ),
            (format!("{base}{id}{form}timeout = \"2m\"\n"), "timeout in [[provider]] must lie between 100ms and 60s"),
            (format!("{base}{id}{form}header = {{}}\n"), "unknown key header in [[provider]]; did you mean headers?"),
        ] {
            let shown = read(&block).map(|_| ()).expect_err(fault);
            assert!(shown.contains(fault), "{shown}");
            assert_eq!(shown.lines().count(), 1, "one fault, one line: {shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn all_faults_come_together() {
        let shown = read(
            "base_url = \"x\"\nmethod = \"SEND\"\npath = \"x\"\nquery = 1\nform = [1]\nheaders = { a = [] }\n\
             basic_auth = 1\nmessage_id = \"x\"\nerror_code = 1\nrules = [{}, { class = \"x\" }]\ntimeout = 1\n",
        );
        let shown = shown.map(|_| ()).expect_err("faults");
        let places: Vec<_> = shown.lines().map(|line| line.split(',').next().unwrap_or_default()).collect();
        assert_eq!(
            places,
            [
                "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 10", "line 11",
                "line 11", "line 12"
            ],
            "{shown}"
        );
    }

    #[test]
    fn nothing_secret_is_shown() {
        let settings =
            read(&format!("{SOUND}headers = {{ authorization = \"Bearer ${{env:TOKEN}}\" }}\n")).expect("sound");
        assert_eq!(format!("{settings:?}"), "HttpGatewaySettings { name: \"main\", .. }");
        let gateway = HttpGateway::new(settings, shared::Clock::system()).expect("a client");
        assert_eq!(format!("{gateway:?}"), "HttpGateway { name: \"main\", .. }");
    }
}
