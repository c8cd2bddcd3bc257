//! Texts with holes. They are read once, at start; at send time nothing is searched or replaced, so what a hole is
//! filled with can hold anything, `{{to}}` included.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::variables::{Values, Variable};
use crate::provider::fields::resolved;
use crate::provider::{Placeholder, Resolve};

/// A text in which `{{variable}}` is filled in for each message, and `${env:NAME}` was at start.
pub(super) struct Template(Vec<Part>);

enum Part {
    Written(String),
    /// From outside the file, most likely a credential.
    Placed(SecretString),
    Variable(Variable),
}

/// Why a text is no template; the message completes "KEY in the section …".
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TemplateError {
    /// Where in the text, in bytes.
    pub(super) byte: usize,
    pub(super) message: String,
}

impl Template {
    /// Reads a text, looking its placeholders up.
    pub(super) fn parse(text: &str, resolve: &Resolve<'_>) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{").into_iter().chain(rest.find("${")).min() {
            let byte = text.len() - rest.len() + start;
            let error = |message| TemplateError { byte, message };
            let (written, hole) = rest.split_at(start);
            if !written.is_empty() {
                parts.push(Part::Written(written.to_owned()));
            }
            let close = if hole.starts_with("{{") { "}}" } else { "}" };
            let Some(length) = hole.find(close).map(|at| at + close.len()) else {
                return Err(error(format!("has a {} without its {close}", &hole[..2])));
            };
            let (hole, after) = hole.split_at(length);
            parts.push(if close == "}}" { variable(hole) } else { placed(hole, resolve) }.map_err(error)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Written(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(*variable),
            Part::Written(_) | Part::Placed(_) => None,
        })
    }

    /// Whether all of it is written in the file.
    pub(super) fn is_written(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Written(_)))
    }

    /// Whether each piece that is the same for all messages is sound.
    pub(super) fn fixed_parts_are(&self, sound: impl Fn(&str) -> bool) -> bool {
        self.0.iter().all(|part| match part {
            Part::Written(text) => sound(text),
            Part::Placed(text) => sound(text.expose_secret()),
            Part::Variable(_) => true,
        })
    }

    pub(super) fn fill(&self, values: &Values<'_>) -> Zeroizing<String> {
        let pieces = || {
            self.0.iter().map(|part| match part {
                Part::Written(text) => text,
                Part::Placed(text) => text.expose_secret(),
                Part::Variable(variable) => values.get(*variable),
            })
        };
        // Room for everything: a string that grows leaves copies behind.
        let mut filled = Zeroizing::new(String::with_capacity(pieces().map(str::len).sum()));
        pieces().for_each(|piece| filled.push_str(piece));
        filled
    }
}

/// The name inside `{{name}}`.
pub(super) fn hole(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{{")?.strip_suffix("}}")?.trim())
}

fn variable(text: &str) -> Result<Part, String> {
    let name = hole(text).unwrap_or_default();
    if name.ends_with(":number") {
        return Err("has a :number that is not alone: only a whole text in json can become a number".to_owned());
    }
    Variable::parse(name).map(Part::Variable)
}

fn placed(text: &str, resolve: &Resolve<'_>) -> Result<Part, String> {
    let placeholder = Placeholder::parse(text)
        .ok_or("has a ${ that begins no placeholder; write ${env:NAME} for an environment variable")?;
    resolved(placeholder, resolve, |_| Ok(())).map(Part::Placed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::gateway::sample::{resolve, sent};
    use proptest::prelude::*;
    use std::time::Duration;

    fn filled(template: &str, text: &str) -> String {
        let template = Template::parse(template, &resolve).unwrap_or_else(|error| panic!("{error:?}"));
        sent(text, Duration::from_secs(170), |sms| {
            template.fill(&Values::of(sms, None, "2026-11-23T12:00:00Z".parse().expect("a timestamp"))).to_string()
        })
    }

    #[test]
    fn holes_are_filled_and_the_rest_stays() {
        for (template, expected) in [
            ("", ""),
            ("plain } }} { $ text", "plain } }} { $ text"),
            ("{{to}}", "+12065550100"),
            ("{{ to_digits }}{{to}}", "12065550100+12065550100"),
            ("Bearer ${env:TOKEN}", "Bearer hush-token"),
            ("é{{text}}é", "éCode: 1é"),
            ("{{valid_for_seconds}} s", "170 s"),
        ] {
            assert_eq!(filled(template, "Code: 1"), expected, "{template}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let hostile = "{{to}} ${env:TOKEN} %7B{{";
        assert_eq!(filled("{{text}}", hostile), hostile);
        assert_eq!(filled("${env:HOSTILE}", ""), "{{to}}");
    }

    #[test]
    fn a_fault_says_where_and_what_to_write() {
        for (template, byte, message) in [
            ("a {{txt}}", 2, "names the variable txt, which does not exist; did you mean text?"),
            ("{{to", 0, "has a {{ without its }}"),
            ("{{to}", 0, "has a {{ without its }}"),
            ("x${env:TOKEN", 1, "has a ${ without its }"),
            ("${TOKEN}", 0, "has a ${ that begins no placeholder; write ${env:NAME} for an environment variable"),
            ("${env:GONE}", 0, "names ${env:GONE}, which is not set"),
            (
                "{{valid_for_seconds:number}} s",
                0,
                "has a :number that is not alone: only a whole text in json can become a number",
            ),
        ] {
            let error = Template::parse(template, &resolve).map(|_| ()).expect_err(template);
            assert_eq!(error, TemplateError { byte, message: message.to_owned() });
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_a_text_without_holes_stays_itself(template in any::<String>()) {
            if let Ok(template) = Template::parse(&template, &resolve) {
                let _ = template.is_written();
            }
            let plain = template.replace("{{", "").replace("${", "");
            if !plain.contains("{{") && !plain.contains("${") {
                prop_assert_eq!(filled(&plain, "x"), plain);
            }
        }
    }
}
