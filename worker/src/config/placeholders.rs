use secrecy::SecretString;
use shared::Environment;

use crate::provider::Placeholder;
use crate::provider_secret::SecretMembers;

/// Looks up a placeholder; the error completes "KEY in a provider's block …" and names the remedy.
pub(super) fn resolve(
    placeholder: Placeholder<'_>,
    environment: &Environment<'_>,
    secret: Option<&SecretMembers>,
) -> Result<SecretString, String> {
    match placeholder {
        Placeholder::Env(name) => environment
            .get(name)
            .map(SecretString::from)
            .ok_or_else(|| format!("needs the environment variable {name}, which is not set")),
        Placeholder::Secret(name) => match secret {
            None => Err(format!(
                "names ${{secret:{name}}}, but no secret was read: set PROVIDER_SECRET_ARN to its ARN, or use ${{env:{name}}}"
            )),
            Some(secret) => secret.get(name).cloned().ok_or_else(|| {
                format!("names ${{secret:{name}}}, which the secret of PROVIDER_SECRET_ARN does not have; add it there")
            }),
        },
    }
}
