//! How many messages a number, a country or everybody got within a stretch of time.

use shared::Timestamp;

/// A stretch of time in which something is counted up to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub scope: LimitScope,
    /// What is counted, and since when. Unique among windows; holds no number in clear.
    pub key: String,
    pub limit: u32,
    pub ends_at: Timestamp,
}

/// Whose messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitScope {
    PerNumber,
    PerCountry,
    InAll,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Within,
    /// The window was full already; nothing was counted.
    Full,
}

impl LimitScope {
    pub const ALL: [Self; 3] = [Self::PerNumber, Self::PerCountry, Self::InAll];

    /// The limit's name in the configuration, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerNumber => "per_number",
            Self::PerCountry => "per_country",
            Self::InAll => "in_all",
        }
    }
}
