//! `[state]`.

use shared::settings::{Faults, Section, key};

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

const UNREACHABLE: [(&str, WhenUnreachable); 2] = [("allow", WhenUnreachable::Allow), ("hold", WhenUnreachable::Hold)];
const ABANDONED: [(&str, OnAbandoned); 2] = [("resend", OnAbandoned::Resend), ("park", OnAbandoned::Park)];
const WRONG: &str = "is none of its choices";

impl StateSettings {
    pub(crate) fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let unreachable = key(
            "unreachable",
            "While the table is out of reach: \"allow\" sends, \"hold\" lets messages wait in the queue.",
        );
        let abandoned = key(
            "abandoned",
            "Where a worker was killed while it was sending: \"resend\" sends once more, \"park\" leaves it to an operator.",
        );
        let settings = Self {
            unreachable: section.word(unreachable, &UNREACHABLE, WRONG, faults).unwrap_or_default(),
            abandoned: section.word(abandoned, &ABANDONED, WRONG, faults).unwrap_or_default(),
        };
        section.finish(faults);
        settings
    }
}
