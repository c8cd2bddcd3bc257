//! What needs no AWS.

use std::fs;
use std::process::{Command, Output};

use crate::world::{Said, provider};

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
    assert_eq!((sound.code, sound.not_sound()), (Some(0), Vec::new()));
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
