//! Where a provider's API is reached.

use std::net::IpAddr;

use reqwest::Url;
use shared::settings::Schema;
use shared::settings::schema::text_like;

/// The address under which a provider's API stands: https, or http on this machine; perhaps with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not a base URL, with the remedy. It never quotes the text, which may hold credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("is not a URL; write it as \"https://api.example.com\"")]
    NotAUrl,
    #[error(
        "must begin with https://, since a one-time code goes there; http:// is for 127.0.0.1, [::1] and localhost"
    )]
    NotHttps,
    #[error("holds a user name or password; remove them, credentials have fields of their own")]
    UserInfo,
    #[error("holds a query or fragment; end it after the path")]
    QueryOrFragment,
}

impl BaseUrl {
    /// What [`BaseUrl::parse`] reads, and other http.
    pub(super) fn schema() -> Schema {
        text_like(r"^\s*[Hh][Tt][Tt][Pp][Ss]?:", "")
    }

    /// Reads a base URL.
    ///
    /// # Errors
    /// When codes could travel there in clear, or when it is more than scheme, host, port and path.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        // The URL parser would drop line breaks in silence.
        if text.contains(char::is_control) {
            return Err(BaseUrlError::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err(BaseUrlError::NotHttps),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the client may be told to refuse everything but https.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The URL of a resource below this one, or this one itself. Each segment is escaped, so none can leave its place.
    pub(super) fn below<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Url {
        let mut url = self.0.clone();
        let mut segments = segments.into_iter().peekable();
        if segments.peek().is_none() {
            return url;
        }
        url.path_segments_mut().expect("http and https URLs have a path").pop_if_empty().extend(segments);
        url
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_read_and_resources_stand_below_them() {
        for (text, resource) in [
            ("https://api.twilio.com", "https://api.twilio.com/a/b.json"),
            ("https://api.dublin.ie1.twilio.com/", "https://api.dublin.ie1.twilio.com/a/b.json"),
            ("https://gateway.example.com:8443/twilio/", "https://gateway.example.com:8443/twilio/a/b.json"),
            ("HTTPS://Example.COM/x", "https://example.com/x/a/b.json"),
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010/a/b.json"),
            ("http://127.8.9.10/", "http://127.8.9.10/a/b.json"),
            ("http://[::1]:4010", "http://[::1]:4010/a/b.json"),
            ("http://localhost:4010", "http://localhost:4010/a/b.json"),
        ] {
            let base = BaseUrl::parse(text).expect(text);
            assert_eq!(base.below(["a", "b.json"]).as_str(), resource);
            assert_eq!(base.is_https(), resource.starts_with("https"), "{text}");
        }
        let whole = BaseUrl::parse("https://gateway.example.com/send/").expect("sound");
        assert_eq!(whole.below([]).as_str(), "https://gateway.example.com/send/", "the whole address, slash and all");
        assert_eq!(whole.below(["a", ""]).as_str(), "https://gateway.example.com/send/a/");
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let base = BaseUrl::parse("https://api.twilio.com").expect("sound");
        assert_eq!(base.below(["x/../y?z#"]).as_str(), "https://api.twilio.com/x%2F..%2Fy%3Fz%23");
    }

    #[test]
    fn everything_else_is_refused_with_the_remedy() {
        for (text, error) in [
            ("", BaseUrlError::NotAUrl),
            ("api.twilio.com", BaseUrlError::NotAUrl),
            ("https://", BaseUrlError::NotAUrl),
            ("https://api.twilio.com\n", BaseUrlError::NotAUrl),
            ("ht\ttps://api.twilio.com", BaseUrlError::NotAUrl),
            ("http://api.twilio.com", BaseUrlError::NotHttps),
            ("http://10.0.0.1", BaseUrlError::NotHttps),
            ("http://[::2]", BaseUrlError::NotHttps),
            ("http://localhost.example.com", BaseUrlError::NotHttps),
            ("http://127.0.0.1.example.com", BaseUrlError::NotHttps),
            ("http://0.0.0.0", BaseUrlError::NotHttps),
            ("ftp://127.0.0.1", BaseUrlError::NotHttps),
            ("file:///etc/passwd", BaseUrlError::NotHttps),
            ("data:text/plain,x", BaseUrlError::NotHttps),
            ("https://user@api.twilio.com", BaseUrlError::UserInfo),
            ("https://:secret@api.twilio.com", BaseUrlError::UserInfo),
            ("http://127.0.0.1@evil.example.com", BaseUrlError::UserInfo),
            ("https://api.twilio.com?a=b", BaseUrlError::QueryOrFragment),
            ("https://api.twilio.com/#a", BaseUrlError::QueryOrFragment),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
        }
    }
}
