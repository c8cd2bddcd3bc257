//! What a check comes to: a verdict, what was found, and what to do about it.

use std::borrow::Cow;

use crate::doctor::reading::Unread;

/// What a check says of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// What is there, in a few words. Never a credential, nor an environment variable's value that might be one.
    pub(crate) found: String,
}

/// Whether it is as it should be. What is not comes with its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Sound,
    /// It works, and has a price that somebody should know of.
    Warning(Remedy),
    /// Codes do not arrive, arrive too late, can be lost, or can be sent by others.
    Wrong(Remedy),
    /// It could not be looked at.
    Unknown(Remedy),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remedy {
    pub(crate) sentence: String,
    /// A shell command that does it, whole and ready to be pasted.
    pub(crate) command: Option<String>,
}

/// A judgement, and which check made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) step: Step,
    pub(crate) judgement: Judgement,
}

/// The steps of a deployment, in the order in which a code passes what they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Stack,
    Pool,
    Key,
    Producer,
    Queue,
    Worker,
    State,
    DeadLetters,
    Providers,
}

impl Step {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Pool => "user pool",
            Self::Key => "key",
            Self::Producer => "producer",
            Self::Queue => "queue",
            Self::Worker => "worker",
            Self::State => "state table",
            Self::DeadLetters => "dead letters",
            Self::Providers => "configuration and providers",
        }
    }
}

impl Judgement {
    pub(crate) fn sound(found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Sound, found: found.into() }
    }

    pub(crate) fn warning(found: impl Into<String>, remedy: Remedy) -> Self {
        Self { verdict: Verdict::Warning(remedy), found: found.into() }
    }

    pub(crate) fn wrong(found: impl Into<String>, remedy: Remedy) -> Self {
        Self { verdict: Verdict::Wrong(remedy), found: found.into() }
    }

    pub(crate) fn unknown(found: impl Into<String>, remedy: Remedy) -> Self {
        Self { verdict: Verdict::Unknown(remedy), found: found.into() }
    }

    /// Sound if `is_so`, else wrong.
    pub(crate) fn sound_if(is_so: bool, found: impl Into<String>, remedy: impl FnOnce() -> Remedy) -> Self {
        if is_so { Self::sound(found) } else { Self::wrong(found, remedy()) }
    }

    /// Of what could not be read.
    pub(crate) fn unread(unread: &Unread) -> Self {
        Self::unknown(unread.to_string(), unread.remedy())
    }
}

impl Verdict {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Warning(_) => "warning",
            Self::Wrong(_) => "wrong",
            Self::Unknown(_) => "unknown",
        }
    }

    pub(crate) fn remedy(&self) -> Option<&Remedy> {
        match self {
            Self::Sound => None,
            Self::Warning(remedy) | Self::Wrong(remedy) | Self::Unknown(remedy) => Some(remedy),
        }
    }
}

impl Remedy {
    /// What no single command does.
    pub(crate) fn by_hand(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), command: None }
    }

    pub(crate) fn by(sentence: impl Into<String>, command: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), command: Some(command.into()) }
    }
}

/// `14 days`, or in hours what is no whole number of days.
pub(crate) fn long(seconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;
    if seconds.is_multiple_of(DAY) { counted(seconds / DAY, "day") } else { counted(seconds / 3600, "hour") }
}

/// `1 second`, `5 seconds`.
pub(crate) fn counted(count: impl Into<u64>, thing: &str) -> String {
    let count = count.into();
    let plural: Cow<'_, str> = if count == 1 { thing.into() } else { format!("{thing}s").into() };
    format!("{count} {plural}")
}
