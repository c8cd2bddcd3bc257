use secrecy::SecretString;
use shared::Environment;

use crate::provider::Placeholder;

/// Looks up `${env:NAME}`; the error completes "KEY in a provider's block …" and names the remedy.
pub(super) fn resolve(placeholder: Placeholder<'_>, environment: &Environment<'_>) -> Result<SecretString, String> {
    match placeholder {
        Placeholder::Env(name) => environment
            .get(name)
            .map(SecretString::from)
            .ok_or_else(|| format!("needs the environment variable {name}, which is not set")),
        Placeholder::Secret(name) => Err(format!(
            "names ${{secret:{name}}}, but this version reads no Secrets Manager secret yet; use ${{env:{name}}}"
        )),
    }
}
