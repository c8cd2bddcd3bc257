//! Calls to any Cognito or Lambda over HTTP, unsigned but for the names that a stand-in looks at.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// An AWS of whatever kind on loopback.
#[derive(Clone)]
pub(crate) struct Api {
    endpoint: String,
}

/// What an API says when it does not do it: status and body.
pub(crate) type Refused = (u16, String);

impl Api {
    pub(crate) fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    /// Calls an operation on user pools.
    pub(crate) fn pools(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)];
        self.call("cognito-idp", "POST", "/", &headers, &request.to_string())
    }

    /// Makes a key for encryption and says its ARN.
    pub(crate) fn create_key(&self) -> String {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "TrentService.CreateKey")];
        let created = self.call("kms", "POST", "/", &headers, "{}").expect("a key");
        created["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned()
    }

    /// Calls whatever service signs so.
    pub(crate) fn call(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Value, Refused> {
        let address = self.endpoint.strip_prefix("http://").expect("http");
        let mut stream = TcpStream::connect(address).expect("it listens");
        // HTTP/1.0, so that the answer is neither chunked nor the connection kept.
        let mut request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=123456789012/20261127/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n",
            body.len()
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("HTTP");
        let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        if status >= 300 {
            return Err((status, body.to_owned()));
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(body).expect("JSON")) }
    }
}
