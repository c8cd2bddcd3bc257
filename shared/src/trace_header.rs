use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::Timestamp;

/// An X-Ray trace header, `Root=1-65250495-…;Parent=…;Sampled=0`, as Lambda hands it to a function.
///
/// Unknown members occur and are kept
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHeader(String);

/// The id of an X-Ray trace, `1-65250495-30b227ef4ea882e709192510`: what logs and traces are joined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId<'h>(&'h str);

/// Lambda's asynchronous retries keep the trace header of the first attempt; older ones are not trusted.
const OLDEST_ROOT: Duration = Duration::from_secs(180);
/// Root times are whole seconds: a nearer one would make two codes of one user look equally old.
const NEWEST_ROOT: Duration = Duration::from_secs(5);

impl TraceHeader {
    /// Reads a header of printable ASCII characters, at most 512 of them; anything else is none at all.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = text.len() <= 512 && text.starts_with("Root=") && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trace that the header belongs to.
    pub fn trace_id(&self) -> Option<TraceId<'_>> {
        TraceId::of_header(&self.0)
    }

    /// When the first attempt began, if that lies 5 to 180 seconds before `now`.
    pub fn first_attempt(&self, now: Timestamp) -> Option<Timestamp> {
        let root = self.0.split(';').find_map(|member| member.strip_prefix("Root=1-"))?;
        let (seconds, _) = root.split_once('-')?;
        let began = Timestamp::from_second(i64::from_str_radix(seconds, 16).ok()?).ok()?;
        let age = Duration::try_from(now.duration_since(began)).ok()?;
        (NEWEST_ROOT..=OLDEST_ROOT).contains(&age).then_some(began)
    }
}

impl<'h> TraceId<'h> {
    /// Reads the root of a trace header. Whoever may write to the queue writes the header too: what is not shaped like
    /// an id could be anything, and is none.
    pub fn of_header(header: &'h str) -> Option<Self> {
        let root = header.strip_prefix("Root=")?.split(';').next()?;
        let (seconds, unique) = root.strip_prefix("1-")?.split_once('-')?;
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (seconds.len() == 8 && unique.len() == 24 && is_hex(seconds) && is_hex(unique)).then_some(Self(root))
    }

    pub fn as_str(self) -> &'h str {
        self.0
    }
}

impl Serialize for TraceId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "Root=1-65250495-30b227ef4ea882e709192510;Parent=6b522ce06cfce549;Sampled=0;Lineage=926e4e43:0";
    const ROOT_SECOND: i64 = 0x6525_0495;

    #[test]
    fn the_first_attempt_is_trusted_between_5_and_180_seconds_ago() {
        let header = TraceHeader::parse(HEADER).expect("a real header");
        let at = |seconds| Timestamp::from_second(ROOT_SECOND + seconds).expect("in range");
        for (later, trusted) in [(-60, false), (0, false), (4, false), (5, true), (60, true), (180, true), (181, false)]
        {
            assert_eq!(header.first_attempt(at(later)), trusted.then(|| at(0)), "{later} seconds later");
        }
    }

    #[test]
    fn a_trace_is_known_by_its_root() {
        let header = TraceHeader::parse(HEADER).expect("a real header");
        assert_eq!(header.trace_id().map(TraceId::as_str), Some("1-65250495-30b227ef4ea882e709192510"));
        let alone = TraceId::of_header("Root=1-65250495-30b227ef4ea882e709192510");
        assert_eq!(alone, header.trace_id());
    }

    #[test]
    fn what_is_not_shaped_like_a_trace_id_is_none() {
        for text in [
            "",
            "Root=",
            "Root=+12065550100",
            "Root=1-65250495-30B227EF4EA882E709192510",
            "Root=1-65250495-30b227ef4ea882e70919251",
            "Root=1-65250495-30b227ef4ea882e7091925100",
            "Root=1-652504951-30b227ef4ea882e70919251",
            "Root=2-65250495-30b227ef4ea882e709192510",
            "Parent=6b522ce06cfce549;Root=1-65250495-30b227ef4ea882e709192510",
        ] {
            assert_eq!(TraceId::of_header(text), None, "{text}");
        }
    }

    #[test]
    fn malformed_headers_are_no_header() {
        for text in ["", "Sampled=0", "Root=1-65250495 x", "Root=1-\u{fffe}", &format!("Root={}", "a".repeat(600))] {
            assert_eq!(TraceHeader::parse(text), None, "{text}");
        }
        let header = TraceHeader::parse("Root=1-zzzz-1").expect("printable");
        assert_eq!(header.first_attempt(Timestamp::UNIX_EPOCH), None);
    }
}
