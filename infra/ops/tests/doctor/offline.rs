//! What needs no AWS.

use std::fs;
use std::process::{Command, Output};

use crate::world::{NUMBER_KEY, Said, TOKEN, provider, sound_secret};

fn doctor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.env_clear().arg("doctor").args(arguments).output().unwrap()
}

pub(crate) fn the_file_and_the_providers_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealpost.toml");
    let look = |base_url: &str, more: &str| {
        let sample = include_str!("../../../aws/sealpost.toml");
        let ours = format!("kind = \"twilio\"\nbase_url = \"{base_url}\"");
        fs::write(&path, sample.replace("kind = \"twilio\"", &ours) + more).unwrap();
        Said::of(&doctor(&["--offline", "--json", "--config", path.to_str().unwrap()]))
    };
    let sound = look(&provider(), "");
    assert_eq!(sound.code, Some(0));
    let without_a_file = ["secret", "start"]
        .map(|check| format!("{check}: unknown: not looked at: no file with the secret's members was given"));
    assert_eq!(sound.not_sound(), without_a_file);
    assert!(sound.finding("configuration")["found"].as_str().unwrap().contains("TWILIO_AUTH_TOKEN"));
    let unreached = look("http://127.0.0.1:1", "");
    assert_eq!(unreached.code, Some(1));
    let found = unreached.finding("providers")["found"].as_str().unwrap();
    assert_eq!(found, "not reached from here: twilio-main at http://127.0.0.1:1/ (connect)");
    let faulty = look("http://127.0.0.1:1", "\n[texts]\nbran = \"x\"\n");
    assert_eq!(faulty.code, Some(1));
    assert!(faulty.finding("configuration")["found"].as_str().unwrap().contains("did you mean brand?"));
    assert_eq!(faulty.finding("providers")["verdict"], "unknown");
}

pub(crate) fn what_is_to_be_put_into_the_secret_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let (config, secret) = (folder.path().join("sealpost.toml"), folder.path().join("secret.json"));
    let sample = include_str!("../../../aws/sealpost.toml");
    let (sid, ours) = ("kind = \"twilio\"", format!("kind = \"twilio\"\nbase_url = \"{}\"", provider()));
    let look = |json: &str, sample: &str| {
        fs::write(&config, sample.replace(sid, &ours)).unwrap();
        fs::write(&secret, json).unwrap();
        let [config, secret] = [&config, &secret].map(|path| path.to_str().unwrap());
        Said::of(&doctor(&["--offline", "--json", "--config", config, "--secret-file", secret]))
    };
    let sound = look(&sound_secret(), sample);
    assert_eq!((sound.code, sound.not_sound()), (Some(0), Vec::new()));
    assert_eq!(sound.finding("start")["found"], "NUMBER_KEY, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN are there");
    let from_environment = sample.replace("${secret:TWILIO_AUTH_TOKEN}", "${env:TOKEN}");
    let found = look(&sound_secret(), &from_environment).finding("start")["found"].clone();
    assert_eq!(found, "NUMBER_KEY, TWILIO_ACCOUNT_SID are there; the worker's environment must have TOKEN");
    let of_nothing = look(&sound_secret(), &sample.replace("${secret:", "${env:"));
    assert_eq!((of_nothing.code, of_nothing.not_sound()), (Some(0), Vec::new()), "a secret that nothing asks for");

    for (json, fault) in [
        (sound_secret().replace(TOKEN, ""), "auth_token"),
        (sound_secret().replace("TWILIO_AUTH_TOKEN", "TWILIO_TOKEN"), "names ${secret:TWILIO_AUTH_TOKEN}"),
        (sound_secret().replace("AC0123", "hush"), "account_sid"),
        (sound_secret().replace(NUMBER_KEY, "hush-short"), "number_key"),
    ] {
        let said = look(&json, sample);
        assert_eq!((said.code, said.not_sound().len()), (Some(1), 1), "{fault}");
        assert!(said.finding("start")["found"].as_str().unwrap().contains(fault), "{fault}: {}", said.whole);
    }
    let broken = look("hush", sample);
    let said = [
        "secret: wrong: it is not a JSON object of texts, such as {\"TWILIO_AUTH_TOKEN\":\"…\"}",
        "start: unknown: not looked at: the secret is no JSON object of texts",
    ];
    assert_eq!((broken.code, broken.not_sound()), (Some(1), said.map(str::to_owned).to_vec()));
}

pub(crate) fn a_file_that_is_no_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../aws/sealpost.toml");
    let path = folder.path().join("secret.json");
    for (content, said) in
        [(None, "No such file"), (Some(vec![b'a'; 65_537]), "more than 64 KiB"), (Some(b"hush\xff".to_vec()), "UTF-8")]
    {
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let path = path.to_str().unwrap();
        let output = doctor(&["--offline", "--config", config, "--secret-file", path]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(path) && error.contains(said) && !error.contains("hush"), "{error}");
    }
    let online = doctor(&["--user-pool-id", "eu-west-1_EXAMPLE01", "--secret-file", "secret.json"]);
    assert_eq!(online.status.code(), Some(2), "the deployed secret is looked at there");
}

pub(crate) fn a_command_without_its_subject_is_wrong_usage() {
    for arguments in [&[][..], &["--offline"], &["--config", "/nowhere/sealpost.toml", "--offline"]] {
        let output = doctor(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        let (code, said) = if arguments.len() < 3 {
            (2, "which pool? Give --user-pool-id")
        } else {
            (1, "reading /nowhere/sealpost.toml")
        };
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(said), "{error}");
    }
}
