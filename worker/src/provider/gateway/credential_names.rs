use shared::settings::{Faults, Value};

/// Names of headers and fields under which gateways expect a credential, in small letters and without hyphens and
/// underscores.
const CREDENTIAL_NAMES: [&str; 20] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apipassword",
    "apisecret",
    "apitoken",
    "authkey",
    "authorization",
    "authtoken",
    "passwd",
    "password",
    "proxyauthorization",
    "secret",
    "secretkey",
    "token",
    "xaccesstoken",
    "xapikey",
    "xapitoken",
    "xauthtoken",
    "xtoken",
];

/// Reports a value that is written in the file although its name says that it is a credential: files are committed,
/// copied and mailed.
pub(super) fn must_stand_outside(name: &str, value: &Value<'_>, faults: &mut Faults) {
    let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
    if CREDENTIAL_NAMES.contains(&plain.as_str()) {
        let message = "must be a placeholder, since secrets do not belong in the file; write \"${env:NAME}\" and set \
                       that variable";
        value.fault(message, faults);
    }
}
