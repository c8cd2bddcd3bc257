//! `[state]`.

use shared::settings::{Faults, Section};

use super::OnAbandoned;

/// What happens where the state cannot say what it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSettings {
    pub unreachable: WhenUnreachable,
    pub abandoned: OnAbandoned,
}

/// What happens to messages while the table cannot be reached: `[state] unreachable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnreachable {
    /// They are sent, protected only by what this process remembers.
    #[default]
    Allow,
    /// They wait in the queue.
    Hold,
}

impl StateSettings {
    pub(crate) fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let settings = Self {
            unreachable: section.parsed("unreachable", unreachable, faults).unwrap_or_default(),
            abandoned: section.parsed("abandoned", abandoned, faults).unwrap_or_default(),
        };
        section.finish(faults);
        settings
    }
}

fn unreachable(text: &str) -> Result<WhenUnreachable, &'static str> {
    match text {
        "allow" => Ok(WhenUnreachable::Allow),
        "hold" => Ok(WhenUnreachable::Hold),
        _ => Err("must be \"allow\" or \"hold\""),
    }
}

fn abandoned(text: &str) -> Result<OnAbandoned, &'static str> {
    match text {
        "resend" => Ok(OnAbandoned::Resend),
        "park" => Ok(OnAbandoned::Park),
        _ => Err("must be \"resend\" or \"park\""),
    }
}
