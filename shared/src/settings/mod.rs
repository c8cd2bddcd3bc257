//! The configuration file: how it is read, and the slice of it that producer and worker share.

mod document;
#[cfg(feature = "schema")]
mod drawing;
mod duration;
mod faults;
mod key;
pub mod schema;
mod section;
mod value;

pub use document::Document;
use duration::duration_schema;
pub use duration::{DurationError, parse_duration, written_duration};
pub use faults::{Fault, Faults};
pub use key::{Key, key};
pub use schema::Schema;
pub use section::{Section, did_you_mean};
pub use value::{Shape, Value};

use crate::Lifetimes;

/// What the producer reads of the configuration file; the worker reads it too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub lifetimes: Lifetimes,
    pub trust: Trust,
    pub privacy: Privacy,
}

/// `[trust]`: exceptions for emulators, whose codes are not sealed as Cognito seals them. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Accept codes whose encryption context does not name a user pool.
    pub allow_missing_pool: bool,
    /// Accept the key-committing suites 0x0478 and 0x0578.
    pub allow_committed_suites: bool,
}

/// `[privacy]`: what may enter the queue beyond the user attributes that delivery needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Further user attributes to keep.
    pub keep_attributes: Vec<String>,
    pub keep_client_metadata: bool,
    pub keep_user_name: bool,
}

impl Settings {
    /// Reads `[lifetime]`, `[trust]` and `[privacy]` and ignores everything else, sound or not: a slip in a
    /// provider's block must never stop a sign-in. Faults of syntax anywhere in the file come back beside the
    /// settings: what they hide has its default.
    ///
    /// # Errors
    /// All faults of these three sections at once.
    pub fn parse(text: &str) -> Result<(Self, Faults), Faults> {
        let (document, syntax_faults) = Document::parse(text);
        let mut root = document.root();
        let mut faults = Faults::default();
        let settings = Self::read(&mut root, &mut faults);
        faults.or((settings, syntax_faults))
    }

    /// Takes the shared sections out of the file's root and adds their faults to `faults`.
    pub fn read(root: &mut Section<'_>, faults: &mut Faults) -> Self {
        const LIFETIME: Key = key("lifetime", "How long a code of each trigger source is worth sending.");
        const TRUST: Key = key("trust", "Exceptions for emulators, whose codes are not sealed as Cognito seals them.");
        const PRIVACY: Key = key("privacy", "What enters the queue beyond the user attributes that delivery needs.");
        let lifetimes = root.section(LIFETIME, faults).map(|section| Lifetimes::read(section, faults));
        let trust = root.section(TRUST, faults).map(|section| Trust::read(section, faults));
        let privacy = root.section(PRIVACY, faults).map(|section| Privacy::read(section, faults));
        Self {
            lifetimes: lifetimes.unwrap_or_default(),
            trust: trust.unwrap_or_default(),
            privacy: privacy.unwrap_or_default(),
        }
    }
}

impl Trust {
    fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        const MISSING_POOL: Key =
            key("allow_missing_pool", "Whether codes are taken whose encryption context names no user pool.");
        const COMMITTED_SUITES: Key =
            key("allow_committed_suites", "Whether codes of the key-committing suites 0x0478 and 0x0578 are taken.");
        let trust = Self {
            allow_missing_pool: section.flag(MISSING_POOL, faults).unwrap_or_default(),
            allow_committed_suites: section.flag(COMMITTED_SUITES, faults).unwrap_or_default(),
        };
        section.finish(faults);
        trust
    }
}

impl Privacy {
    fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        const ATTRIBUTES: Key = key("keep_attributes", "Further user attributes that are kept in the queue, by name.");
        const CLIENT_METADATA: Key =
            key("keep_client_metadata", "Whether the event's clientMetadata is kept in the queue.");
        const USER_NAME: Key = key("keep_user_name", "Whether the event's userName is kept in the queue.");
        let privacy = Self {
            keep_attributes: section.texts(ATTRIBUTES, faults).unwrap_or_default(),
            keep_client_metadata: section.flag(CLIENT_METADATA, faults).unwrap_or_default(),
            keep_user_name: section.flag(USER_NAME, faults).unwrap_or_default(),
        };
        section.finish(faults);
        privacy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_providers_block_is_not_the_producers_concern() {
        for broken in ["[[provider]]\nname = \n", "[[provider]]\nkind = \"nonsense\"\n", "[provider\n"] {
            let text = format!("[trust]\nallow_missing_pool = true\n{broken}[privacy]\nkeep_user_name = true\n");
            let (settings, _) = Settings::parse(&text).expect("the shared sections are sound");
            assert!(settings.trust.allow_missing_pool, "{broken}");
            assert!(settings.privacy.keep_user_name, "{broken}");
        }
    }

    #[test]
    fn all_faults_are_reported_together_with_line_and_nearest_name() {
        let text = "[trust]\nallow_mising_pool = true\n[lifetime]\nauthentication = \"3 parsecs\"\nsign_up = 5\n";
        let faults = Settings::parse(text).expect_err("three faults");
        let shown = faults.to_string();
        assert!(
            shown.contains(
                "line 2, column 1: unknown key allow_mising_pool in [trust]; did you mean allow_missing_pool?"
            ),
            "{shown}"
        );
        assert!(shown.contains("line 4, column 18: authentication in [lifetime] must be a duration"), "{shown}");
        assert!(shown.contains("line 5, column 11: sign_up in [lifetime] must be a duration"), "{shown}");
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(Settings::parse(""), Ok((Settings::default(), Faults::default())));
    }

    #[test]
    fn faults_of_syntax_are_reported_beside_the_settings() {
        let (settings, faults) =
            Settings::parse("[trust]\nallow_missing_pool = true\n[[provider]]\nname = \n").expect("sound");
        assert!(settings.trust.allow_missing_pool);
        assert!(faults.to_string().starts_with("line 4, column"), "{faults}");
    }
}
