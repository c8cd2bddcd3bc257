//! Where the values of placeholders come from.

use std::cell::RefCell;
use std::collections::BTreeSet;

use shared::Environment;

use crate::provider::{Placeholder, Resolved};
use crate::provider_secret::SecretMembers;

/// What a configuration file needs from outside, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// Environment variables.
    pub environment: BTreeSet<String>,
    /// Members of the secret that `PROVIDER_SECRET_ARN` names.
    pub secret: BTreeSet<String>,
}

impl Needed {
    fn note(&mut self, placeholder: Placeholder<'_>) {
        match placeholder {
            Placeholder::Env(name) => self.environment.insert(name.to_owned()),
            Placeholder::Secret(name) => self.secret.insert(name.to_owned()),
        };
    }
}

/// Looks up a placeholder where the worker runs; the error completes "KEY in a provider's block …" and names the remedy.
pub(super) fn resolve(
    placeholder: Placeholder<'_>,
    environment: &Environment<'_>,
    secret: Option<&SecretMembers>,
) -> Result<Resolved, String> {
    let value = match placeholder {
        Placeholder::Env(name) => environment
            .get(name)
            .map(Into::into)
            .ok_or_else(|| format!("needs the environment variable {name}, which is not set")),
        Placeholder::Secret(name) => match secret {
            None => Err(format!(
                "names ${{secret:{name}}}, but no secret was read: set PROVIDER_SECRET_ARN to its ARN, or use ${{env:{name}}}"
            )),
            Some(secret) => secret.get(name).cloned().ok_or_else(|| {
                format!("names ${{secret:{name}}}, which the secret of PROVIDER_SECRET_ARN does not have; add it there")
            }),
        },
    };
    value.map(Resolved::Value)
}

/// Looks up a placeholder away from the worker, where only some variables may be set, and notes that it is needed.
pub(super) fn resolve_elsewhere(
    placeholder: Placeholder<'_>,
    environment: &Environment<'_>,
    needed: &RefCell<Needed>,
) -> Resolved {
    needed.borrow_mut().note(placeholder);
    let value = match placeholder {
        Placeholder::Env(name) => environment.get(name),
        Placeholder::Secret(_) => None,
    };
    value.map_or(Resolved::Elsewhere, |value| Resolved::Value(value.into()))
}
