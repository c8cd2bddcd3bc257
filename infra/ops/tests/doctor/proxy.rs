//! What stands between the doctor and MiniStack: it hands calls on, but for those that a test wants answered otherwise.
//! So it shows what MiniStack cannot: a function that failed, a right that is missing, a call that never ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A call that is answered otherwise.
#[derive(Clone)]
pub(crate) struct Rule {
    /// Where it is known by: the call's name for services that speak by name, method and a part of the path for Lambda.
    pub(crate) call: &'static str,
    pub(crate) answer: Answer,
}

#[derive(Clone)]
pub(crate) enum Answer {
    /// As MiniStack answers, changed.
    Changed(fn(&mut Value)),
    /// As MiniStack answers, with one text in place of another.
    Replaced(&'static str, &'static str),
    /// With this error, and status 400.
    Refused(&'static str),
    /// Not at all.
    Never,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    address: String,
    rules: Arc<Mutex<Vec<Rule>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

struct Request {
    head: String,
    body: Vec<u8>,
}

impl Proxy {
    pub(crate) fn before(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let proxy = Self { address, rules: Arc::default(), calls: Arc::default() };
        proxy.set(&[]);
        let (serving, endpoint) = (proxy.clone(), endpoint.trim_start_matches("http://").to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, endpoint) = (serving.clone(), endpoint.clone());
                std::thread::spawn(move || serving.serve(stream.unwrap(), &endpoint));
            }
        });
        proxy
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// These rules, in place of those before.
    pub(crate) fn set(&self, rules: &[Rule]) {
        // As AWS answers a dry run that is allowed; MiniStack knows none.
        let dry_run = Rule { call: "Decrypt", answer: Answer::Refused("DryRunOperationException") };
        *self.rules.lock().unwrap() = rules.iter().cloned().chain([dry_run]).collect();
    }

    /// The calls that were made since this was last asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn serve(&self, mut stream: TcpStream, endpoint: &str) {
        let Some(request) = Request::read(&stream) else { return };
        self.calls.lock().unwrap().push(request.call());
        let rules = self.rules.lock().unwrap().clone();
        let rule = rules.into_iter().find(|rule| request.is(rule.call));
        let answer = match rule.map(|rule| rule.answer) {
            None => request.forward(endpoint),
            Some(Answer::Changed(change)) => {
                let answer = request.forward(endpoint);
                let (head, body) = parts(&answer);
                assert!(head.contains(" 200 "), "{head}");
                let mut body: Value = serde_json::from_slice(&body).unwrap();
                change(&mut body);
                response("200 OK", "", &body.to_string())
            }
            Some(Answer::Replaced(text, other)) => {
                let (_, body) = parts(&request.forward(endpoint));
                let body = String::from_utf8(body).unwrap();
                assert!(body.contains(text), "{body}");
                response("200 OK", "", &body.replace(text, other))
            }
            Some(Answer::Refused(error)) => request.refusal(error),
            // Until the other side has enough of it.
            Some(Answer::Never) => {
                let _ = stream.read(&mut [0; 1]);
                return;
            }
        };
        let _ = stream.write_all(&answer);
    }
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { head, body })
    }

    /// Its name: the last part of `X-Amz-Target`, the `Action` of a form, or method and path.
    fn call(&self) -> String {
        if let Some(target) = header(&self.head, "x-amz-target") {
            return target.rsplit('.').next().unwrap().to_owned();
        }
        let form = String::from_utf8_lossy(&self.body);
        if let Some((_, action)) = form.split_once("Action=") {
            return action.split('&').next().unwrap().to_owned();
        }
        self.head.split(" HTTP/").next().unwrap().to_owned()
    }

    fn is(&self, call: &str) -> bool {
        let own = self.call();
        match call.split_once(' ') {
            Some((method, part)) => own.starts_with(method) && own.contains(part),
            None => own == call,
        }
    }

    fn refusal(&self, error: &str) -> Vec<u8> {
        let headers = format!("x-amzn-errortype: {error}\r\n");
        let is_of_query = header(&self.head, "x-amz-target").is_none() && self.head.starts_with("POST / ");
        let body = if is_of_query {
            format!(
                "<ErrorResponse><Error><Code>{error}</Code><Message>says the test</Message></Error></ErrorResponse>"
            )
        } else {
            json!({ "__type": error, "message": "says the test" }).to_string()
        };
        response("400 Bad Request", &headers, &body)
    }

    fn forward(&self, endpoint: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(endpoint).unwrap();
        let lines = self.head.trim_end().lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
        let head = lines.chain(["connection: close"]).map(|line| format!("{line}\r\n")).collect::<String>();
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn parts(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut body = answer[end..].to_vec();
    if header(&head, "transfer-encoding") == Some("chunked") {
        body = unchunked(&body);
    }
    (head, body)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
}

fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-type: application/x-amz-json-1.1\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
