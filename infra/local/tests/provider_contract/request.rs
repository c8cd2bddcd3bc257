//! A request as it came over the wire.

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// A whole request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `POST /path HTTP/1.1`
    pub(crate) line: String,
    /// As they came, sorted.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Request {
    /// Reads one request to its end; none when the connection ends before.
    pub(crate) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        loop {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let (head, body) = (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 4..]);
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len().to_string() != length {
                continue;
            }
            let (line, headers) = head.split_once("\r\n")?;
            let body = std::str::from_utf8(body).unwrap().to_owned();
            let mut headers: Vec<_> = headers.lines().map(str::to_owned).collect();
            headers.sort_unstable();
            return Some(Self { line: line.to_owned(), headers, body });
        }
    }

    /// The value of a field in the body that is a form.
    pub(crate) fn in_form(&self, key: &str) -> String {
        one_of_form(self.body.as_bytes(), key)
    }

    /// The value of a field in the query.
    pub(crate) fn in_query(&self, key: &str) -> String {
        let target = self.line.split(' ').nth(1).unwrap();
        let (_, query) = target.split_once('?').unwrap();
        assert!(!query.contains('+'), "a plus sign is a space for some and a plus sign for others");
        one_of_form(query.as_bytes(), key)
    }

    /// The text at a pointer in the body that is JSON.
    pub(crate) fn in_json(&self, pointer: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body.pointer(pointer).unwrap().as_str().unwrap().to_owned()
    }
}

fn one_of_form(form: &[u8], key: &str) -> String {
    let mut values = form_urlencoded::parse(form).filter(|(name, _)| name == key);
    let (_, value) = values.next().unwrap();
    assert!(values.next().is_none(), "{key} stands there twice");
    value.into_owned()
}
