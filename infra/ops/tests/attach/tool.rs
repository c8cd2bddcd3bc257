//! `sealpost attach` and `sealpost detach` as an operator runs them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// The tool, with a folder of its own for what it writes.
pub(crate) struct Tool {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Tool {
    /// For an AWS at an endpoint, in eu-west-1.
    pub(crate) fn at(endpoint: &str) -> Self {
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "123456789012"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { folder: tempfile::tempdir().expect("a folder"), environment }
    }

    /// With one more variable in its environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command.env_clear().current_dir(self.folder.path()).args(arguments);
        let output = command.envs(self.environment.iter().cloned()).output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files in its folder, by name.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Said {
    /// That it failed with one line that says all this.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{self:?}");
        assert!(self.error.starts_with("sealpost: ") && self.error.lines().count() == 1, "{self:?}");
        for part in parts {
            assert!(self.error.contains(part), "{part}: {self:?}");
        }
    }

    /// What a command that found nothing wrong told people.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert_eq!((self.code, self.error.as_str()), (Some(0), ""), "{self:?}");
        &self.out
    }

    /// The one JSON object of a command that found nothing wrong.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!((self.code, self.error.as_str()), (Some(0), ""), "{self:?}");
        serde_json::from_str(&self.out).expect("one JSON object")
    }
}
