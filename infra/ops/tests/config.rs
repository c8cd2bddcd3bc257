//! `sealpost config` as an operator runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const SOUND: &str = "\
[[provider]]
name = \"twilio-main\"
kind = \"twilio\"
account_sid = \"${env:TWILIO_ACCOUNT_SID}\"
auth_token = \"${secret:TWILIO_AUTH_TOKEN}\"
from = \"+12065550199\"

[[provider]]
name = \"eu\"
kind = \"http\"
base_url = \"https://sms.example.com\"
headers = { authorization = \"Bearer ${env:EU_TOKEN}\" }
form = { to = \"{{to}}\", text = \"{{text}}\" }
message_id = \"/id\"

[route]
default = [\"twilio-main\", \"eu\"]
[route.country]
FR = [\"eu\"]
KP = []

[limits]
number_key = \"${secret:NUMBER_KEY}\"
";

/// A folder with one file in it.
struct Scene {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Scene {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("sealpost.toml"), text).expect("written");
        Self { folder, variables: Vec::new() }
    }

    fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    fn check(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let output =
            sealpost(self.folder.path(), variables, &[&["config", "check", "sealpost.toml"], arguments].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    }

    fn json(&self) -> (Option<i32>, Value) {
        let (code, shown) = self.check(&["--json"]);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        (code, serde_json::from_str(&shown).expect("JSON"))
    }
}

fn sealpost<'v>(folder: &Path, variables: impl IntoIterator<Item = (&'v str, &'v str)>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    command.current_dir(folder).env_clear().envs(variables).args(arguments);
    command.output().expect("the binary runs")
}

#[test]
fn a_sound_file_is_summed_up_where_nothing_of_what_it_names_is_set() {
    let (code, shown) = Scene::new(SOUND).check(&[]);
    let expected = "\
sealpost.toml is sound
providers    twilio-main  twilio  https://api.twilio.com/
             eu           http    https://sms.example.com/
route        twilio-main, eu
  FR         eu
  KP         refused
environment  EU_TOKEN, TWILIO_ACCOUNT_SID
secret       NUMBER_KEY, TWILIO_AUTH_TOKEN
";
    assert_eq!((code, shown.as_str()), (Some(0), expected));
}

#[test]
fn a_sound_file_is_summed_up_for_programs_too() {
    let (code, object) = Scene::new(SOUND).json();
    let expected = json!({
        "file": "sealpost.toml",
        "faults": [],
        "does_not_start": [],
        "providers": [
            { "name": "twilio-main", "kind": "twilio", "base_url": "https://api.twilio.com/" },
            { "name": "eu", "kind": "http", "base_url": "https://sms.example.com/" },
        ],
        "routes": { "default": ["twilio-main", "eu"], "countries": { "FR": ["eu"], "KP": [] } },
        "environment": ["EU_TOKEN", "TWILIO_ACCOUNT_SID"],
        "secret": ["NUMBER_KEY", "TWILIO_AUTH_TOKEN"],
        "notes": [],
    });
    assert_eq!((code, object), (Some(0), expected));
}

#[test]
fn all_faults_are_said_at_once_where_an_editor_jumps_to_them() {
    let text = SOUND
        .replace("kind = \"http\"", "kind = \"htp\"")
        .replace("auth_token = \"${secret:TWILIO_AUTH_TOKEN}\"", "auth_token = \"hush-token\"")
        .replace("[limits]", "[limit]");
    let (code, shown) = Scene::new(&text).check(&[]);
    let expected = "\
sealpost.toml:5:14: auth_token in [[provider]] must be a placeholder, since secrets do not belong in the file; write \
\"${secret:AUTH_TOKEN}\" and add AUTH_TOKEN to the secret that PROVIDER_SECRET_ARN names, or write \"${env:AUTH_TOKEN}\" \
and set that variable
sealpost.toml:10:8: kind in [[provider]] is not a kind of provider; did you mean http?
sealpost.toml:22:2: unknown key limit; did you mean limits?
3 faults: the worker does not start with this file; the producer does, since it reads nothing of that
";
    assert_eq!((code, shown.as_str()), (Some(1), expected));
    let (code, object) = Scene::new(&text).json();
    assert_eq!(code, Some(1));
    let places = object["faults"].as_array().expect("a list").iter().map(|it| json!([it["line"], it["column"]]));
    assert_eq!(places.collect::<Value>(), json!([[5, 14], [10, 8], [22, 2]]));
    assert_eq!(object["does_not_start"], json!(["worker"]));
    assert!(!object.to_string().contains("hush"), "{object}");
}

#[test]
fn it_says_when_the_producer_does_not_start_either() {
    let scene = Scene::new(format!("{SOUND}[lifetime]\nsign_up = \"1y\"\n"));
    let (code, shown) = scene.check(&[]);
    let last = shown.lines().last().expect("a line");
    assert_eq!((code, last), (Some(1), "1 fault: neither worker nor producer starts with this file"));
    assert_eq!(scene.json().1["does_not_start"], json!(["worker", "producer"]));
    let (_, shown) = Scene::new(format!("{SOUND}[lifetime]\nsign_up = 1h\n")).check(&[]);
    let expected = "the producer does, with the default of whatever faults of syntax hide\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_variable_that_is_set_is_checked_and_never_shown() {
    let sound = Scene::new(SOUND).with("TWILIO_ACCOUNT_SID", format!("AC{}", "0".repeat(32)));
    let (code, shown) = sound.check(&[]);
    assert_eq!(code, Some(0));
    let expected = "environment  EU_TOKEN, TWILIO_ACCOUNT_SID (set here, and checked)\n";
    assert!(shown.contains(expected) && !shown.contains("AC000"), "{shown}");

    let faulty = Scene::new(SOUND).with("TWILIO_ACCOUNT_SID", "AChush").with("EU_TOKEN", "hush\n");
    let (code, shown) = faulty.check(&[]);
    assert_eq!(code, Some(1));
    for expected in [
        "sealpost.toml:4:15: account_sid in [[provider]] (from ${env:TWILIO_ACCOUNT_SID}) must be AC and 32 hexadecimal",
        "sealpost.toml:12:37: headers.authorization in [[provider]] begins or ends with a space or line break: remove it \
         from ${env:EU_TOKEN}",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn what_is_no_fault_and_yet_hinders_is_noted() {
    let text = SOUND.replace("number_key = \"${secret:NUMBER_KEY}\"", "");
    let text = format!("{text}[[test_number]]\nnumber = \"+447700900123\"\nuntil = \"2020-12-31\"\n");
    let (code, shown) = Scene::new(text).check(&[]);
    assert_eq!(code, Some(0));
    for expected in [
        "note: there is no number_key in [limits]: with STATE_TABLE, which infra/aws/template.yaml sets, the worker does \
         not start without one\n",
        "note: +44…23 was a test number until 2020-12-31: ",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_file_that_is_not_utf8_is_told_where() {
    let (code, shown) = Scene::new(b"[texts]\nbrand = \"Caf\xe9\"\n").check(&[]);
    let expected = "sealpost.toml:2:13: here the file is not UTF-8, as TOML must be; save it as UTF-8\n\
                    1 fault: neither worker nor producer starts with this file\n";
    assert_eq!((code, shown.as_str()), (Some(1), expected));
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("large.toml"), " ".repeat(1024 * 1024 + 1)).expect("written");
    std::fs::write(folder.path().join("largest.toml"), format!("{SOUND}{}", " ".repeat(1024 * 1024 - SOUND.len())))
        .expect("written");
    for (file, expected) in [
        ("missing.toml", "sealpost: reading missing.toml: No such file or directory"),
        (".", "sealpost: reading .: Is a directory"),
        ("large.toml", "sealpost: large.toml has more than 1 MiB: that is no configuration\n"),
    ] {
        let output = sealpost(folder.path(), [], &["config", "check", file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with(expected) && output.stdout.is_empty(), "{said}");
        assert_eq!(output.status.code(), Some(1), "{file}");
    }
    assert_eq!(sealpost(folder.path(), [], &["config", "check", "largest.toml"]).status.code(), Some(0));
    assert_eq!(sealpost(folder.path(), [], &["config", "check"]).status.code(), Some(2), "which file?");
}

#[test]
fn the_files_that_come_with_sealpost_are_sound() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    for file in [
        "infra/aws/sealpost.toml",
        "worker/gateways/africas-talking.toml",
        "worker/gateways/infobip.toml",
        "worker/gateways/vonage.toml",
    ] {
        let output = sealpost(&root, [], &["config", "check", file]);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{shown}");
        if file.starts_with("infra/aws") {
            let readme = include_str!("../../../README.md");
            assert!(readme.contains(&format!("$ cargo run -- config check {file}\n{shown}")), "{shown}");
        }
    }
}
