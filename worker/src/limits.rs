//! `[limits]`: how many messages a number, a country and everybody may get.

use shared::{PhoneNumber, Timestamp};

use crate::phone_region::Country;
use crate::state::Window;

/// `[limits]`.
#[derive(Clone, Debug, Default)]
pub struct Limits {}

impl Limits {
    /// The windows that a message counts in, the narrowest limit first.
    pub fn windows(&self, _to: &PhoneNumber, _country: Country, _now: Timestamp) -> Vec<Window> {
        Vec::new()
    }
}
