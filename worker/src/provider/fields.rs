//! The fields of a `[[provider]]` block, whose values may stand outside the file.

use std::convert::Infallible;
use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shared::settings::schema::text_like;
use shared::settings::{Faults, Key, Schema, Section};

/// A value that stands outside the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder<'t> {
    /// `${env:NAME}`: an environment variable.
    Env(&'t str),
    /// `${secret:NAME}`: a member of the secret that `PROVIDER_SECRET_ARN` names.
    Secret(&'t str),
}

/// What is known of a placeholder.
pub enum Resolved {
    Value(SecretString),
    /// Its value is known only where the worker runs. The placeholder stands for itself then: its own text takes the
    /// value's place, and nothing is asked of its shape. Whoever starts a worker never answers so.
    Elsewhere,
}

/// Looks a placeholder up. The error completes "`auth_token in [[provider]]` …": it names the placeholder and
/// the remedy, never a value.
pub type Resolve<'r> = dyn Fn(Placeholder<'_>) -> Result<Resolved, String> + 'r;

/// What stands under a key: a missing field may be no fault, a faulty one has been reported already.
#[derive(Debug)]
pub(crate) enum Field<T> {
    Absent,
    Faulty,
    Sound(T),
}

impl<'t> Placeholder<'t> {
    /// Reads a whole text as a placeholder.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (kind, name) = text.strip_prefix("${")?.strip_suffix('}')?.split_once(':')?;
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
        if name.is_empty() || !name.bytes().all(sound) {
            return None;
        }
        match kind {
            "env" => Some(Self::Env(name)),
            "secret" => Some(Self::Secret(name)),
            _ => None,
        }
    }
}

impl Display for Placeholder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${{env:{name}}}"),
            Self::Secret(name) => write!(f, "${{secret:{name}}}"),
        }
    }
}

impl<T> Field<T> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if it is there and sound.
    pub(crate) fn sound(self) -> Option<T> {
        match self {
            Self::Sound(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }
}

/// Takes a secret, which must be a placeholder: files are committed, copied and mailed.
pub(super) fn secret(
    section: &mut Section<'_>,
    key: Key,
    resolve: &Resolve<'_>,
    faults: &mut Faults,
) -> Field<SecretString> {
    secret_that(section, key, resolve, |_| Ok::<_, Infallible>(()), faults)
}

/// Takes a secret of some shape; `check`'s error completes "KEY in the section …".
pub(crate) fn secret_that<E: Display>(
    section: &mut Section<'_>,
    key: Key,
    resolve: &Resolve<'_>,
    check: impl Fn(&str) -> Result<(), E>,
    faults: &mut Faults,
) -> Field<SecretString> {
    let read = |text: &str| match Placeholder::parse(text) {
        Some(placeholder) => resolved(placeholder, resolve, |value| check(value).map_err(|error| error.to_string())),
        None => Err(format!(
            "must be a placeholder, since secrets do not belong in the file; write \"${{secret:{0}}}\" and add {0} to \
             the secret that PROVIDER_SECRET_ARN names, or write \"${{env:{0}}}\" and set that variable",
            key.name().to_ascii_uppercase()
        )),
    };
    field(section, key, placeholder_schema, read, faults)
}

/// Takes a text of some shape that may be written in the file or be a placeholder.
pub(super) fn text<E: Display>(
    section: &mut Section<'_>,
    key: Key,
    schema: impl FnOnce() -> Schema,
    resolve: &Resolve<'_>,
    check: impl Fn(&str) -> Result<(), E>,
    faults: &mut Faults,
) -> Field<String> {
    let read = |text: &str| match Placeholder::parse(text) {
        Some(placeholder) => {
            let check = |value: &str| check(value).map_err(|error| format!("(from {placeholder}) {error}"));
            resolved(placeholder, resolve, check).map(|value| value.expose_secret().to_owned())
        }
        None => check(text).map(|()| text.to_owned()).map_err(|error| error.to_string()),
    };
    field(section, key, || json!({ "anyOf": [schema(), placeholder_schema()] }), read, faults)
}

fn field<T>(
    section: &mut Section<'_>,
    key: Key,
    schema: impl FnOnce() -> Schema,
    parse: impl FnOnce(&str) -> Result<T, String>,
    faults: &mut Faults,
) -> Field<T> {
    let mut own = Faults::default();
    let value = section.parsed(key, schema, parse, &mut own);
    let faulty = !own.is_empty();
    faults.extend(own);
    match value {
        Some(value) => Field::Sound(value),
        None if faulty => Field::Faulty,
        None => Field::Absent,
    }
}

fn placeholder_schema() -> Schema {
    text_like(r"^\$\{(env|secret):[A-Za-z0-9_./-]+\}$", "A placeholder: \"${secret:NAME}\" or \"${env:NAME}\".")
}

/// The value, if it is one that can be used and of the right shape.
pub(super) fn resolved(
    placeholder: Placeholder<'_>,
    resolve: &Resolve<'_>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<SecretString, String> {
    let value = match resolve(placeholder)? {
        Resolved::Value(value) => value,
        Resolved::Elsewhere => return Ok(placeholder.to_string().into()),
    };
    let text = value.expose_secret();
    if text.is_empty() {
        return Err(format!("is empty: give {placeholder} a value"));
    }
    // `echo TOKEN > file` ends in a line break; sent as it is, it would only read as a wrong token.
    if text.trim() != text {
        return Err(format!("begins or ends with a space or line break: remove it from {placeholder}"));
    }
    check(text)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::settings::{Document, key, schema};

    #[test]
    fn only_whole_placeholders_of_the_two_kinds_are_read() {
        assert_eq!(Placeholder::parse("${env:A_1}"), Some(Placeholder::Env("A_1")));
        assert_eq!(
            Placeholder::parse("${secret:twilio/auth-token.2}"),
            Some(Placeholder::Secret("twilio/auth-token.2"))
        );
        for text in [
            "",
            "${}",
            "${env:}",
            "${env:A B}",
            "${ENV:A}",
            "${file:A}",
            "$env:A",
            "x${env:A}",
            "${env:A}x",
            "${env:A}}",
        ] {
            assert_eq!(Placeholder::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_placeholder_is_shown_as_it_is_written() {
        for text in ["${env:A}", "${secret:B}"] {
            assert_eq!(Placeholder::parse(text).expect("sound").to_string(), text);
        }
    }

    #[test]
    fn faults_name_the_placeholder_and_never_the_value() {
        let resolve = |placeholder: Placeholder<'_>| match placeholder {
            Placeholder::Env("EMPTY") => Ok(Resolved::Value("".into())),
            Placeholder::Env("BROKEN") => Ok(Resolved::Value("hush\n".into())),
            Placeholder::Env(_) | Placeholder::Secret(_) => Err(format!("names {placeholder}, which is not set")),
        };
        for (value, fault) in [
            (
                "\"hush\"",
                "t in [x] must be a placeholder, since secrets do not belong in the file; write \"${secret:T}\"",
            ),
            ("\"${env:EMPTY}\"", "t in [x] is empty: give ${env:EMPTY} a value"),
            ("\"${env:BROKEN}\"", "t in [x] begins or ends with a space or line break: remove it from ${env:BROKEN}"),
            ("\"${secret:GONE}\"", "t in [x] names ${secret:GONE}, which is not set"),
            ("3", "t in [x] must be a text in quotes"),
        ] {
            let text = format!("[x]\nt = {value}\n");
            let (document, mut faults) = Document::parse(&text);
            let mut section = document.root().section(key("x", ""), &mut faults).expect("a table");
            let read = secret(&mut section, key("t", ""), &resolve, &mut faults);
            assert!(matches!(read, Field::Faulty), "{value}");
            let shown = faults.to_string();
            assert!(shown.contains(fault), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn a_placeholder_whose_value_is_elsewhere_stands_for_itself_and_has_no_wrong_shape() {
        let resolve = |placeholder: Placeholder<'_>| match placeholder {
            Placeholder::Env(_) => Ok(Resolved::Value("hush".into())),
            Placeholder::Secret(_) => Ok(Resolved::Elsewhere),
        };
        let text = "[x]\na = \"${secret:A}\"\nb = \"${secret:B}\"\nc = \"${env:C}\"\nd = \"hush\"\n";
        let (document, mut faults) = Document::parse(text);
        let mut section = document.root().section(key("x", ""), &mut faults).expect("a table");
        let never = |_: &str| Err("is wrong");
        let a = secret_that(&mut section, key("a", ""), &resolve, never, &mut faults).sound().expect("sound");
        assert_eq!(a.expose_secret(), "${secret:A}");
        let b = super::text(&mut section, key("b", ""), schema::text, &resolve, never, &mut faults).sound();
        assert_eq!(b.as_deref(), Some("${secret:B}"));
        assert!(faults.is_empty(), "{faults}");
        for name in ["c", "d"] {
            let read = super::text(&mut section, key(name, ""), schema::text, &resolve, never, &mut faults);
            assert!(matches!(read, Field::Faulty), "{name}");
        }
        assert!(!faults.to_string().contains("hush"), "{faults}");
    }
}
