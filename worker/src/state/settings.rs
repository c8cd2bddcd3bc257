//! `[state]`.

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
