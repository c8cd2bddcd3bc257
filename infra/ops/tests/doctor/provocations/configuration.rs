//! The configuration file, the secret and the providers.

use super::Remedied::{Command, Hand};
use super::{Provocation, Remedied, provocation};
use crate::world::{NUMBER_KEY, TOKEN, sound_secret};

pub(super) const CONFIGURATION: [Provocation; 10] = [
    provocation(
        "configuration",
        "wrong",
        "unknown key bran in [texts]",
        |world| world.configure(|text| text.push_str("\n[texts]\nbran = \"x\"\n")),
        RECONFIGURED,
    ),
    provocation("secret", "wrong", "not a JSON object of texts", |world| world.put_secret("hush-no-json"), SECRET_PUT),
    provocation(
        "secret",
        "wrong",
        "PROVIDER_SECRET_ARN is not set",
        |world| world.set_variables("Worker", &[("PROVIDER_SECRET_ARN", None)]),
        Command,
    ),
    provocation(
        "secret",
        "wrong",
        "there is no secret",
        |world| {
            let other = world.output("ProviderSecretArn").replace(":secret:", ":secret:no-");
            world.set_variables("Worker", &[("PROVIDER_SECRET_ARN", Some(&other))]);
        },
        Hand(|world| {
            world.set_variables("Worker", &[("PROVIDER_SECRET_ARN", Some(world.output("ProviderSecretArn")))])
        }),
    ),
    provocation(
        "start",
        "wrong",
        "${secret:TWILIO_AUTH_TOKEN}, which the secret",
        |world| {
            world.put_secret(&sound_secret().replace("TWILIO_AUTH_TOKEN", "TOKEN"));
        },
        SECRET_PUT,
    ),
    provocation(
        "start",
        "wrong",
        "give ${secret:TWILIO_AUTH_TOKEN} a value",
        |world| {
            world.put_secret(&sound_secret().replace(TOKEN, ""));
        },
        SECRET_PUT,
    ),
    provocation(
        "start",
        "wrong",
        "number_key in [limits] is shorter than 32 characters",
        |world| {
            world.put_secret(&sound_secret().replace(NUMBER_KEY, "hush-short"));
        },
        SECRET_PUT,
    ),
    provocation(
        "start",
        "wrong",
        "needs the environment variable NOBODY_SETS_IT",
        |world| {
            world.configure(|text| *text = text.replace("${secret:TWILIO_ACCOUNT_SID}", "${env:NOBODY_SETS_IT}"));
        },
        RECONFIGURED,
    ),
    provocation(
        "start",
        "wrong",
        "there is no number_key in [limits]",
        |world| world.configure(|text| *text = text.replace("number_key = ", "# number_key = ")),
        RECONFIGURED,
    ),
    provocation(
        "providers",
        "wrong",
        "not reached from here: twilio-main",
        |world| {
            world.configure(|text| *text = text.replace(&world.provider, "http://127.0.0.1:1"));
        },
        RECONFIGURED,
    ),
];

const RECONFIGURED: Remedied = Hand(|world| world.configure(|_| {}));
const SECRET_PUT: Remedied = Hand(|world| world.put_secret(&sound_secret()));
