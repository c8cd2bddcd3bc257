//! The real programs, built by cargo from the sources as they now are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    pub producer: PathBuf,
    pub worker: PathBuf,
}

impl Programs {
    /// Builds both by `cargo build` with these arguments, which must name them.
    ///
    /// # Errors
    /// When they do not build.
    pub fn built(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--message-format=json-render-diagnostics"]).args(arguments);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.stdin(Stdio::null()).stderr(Stdio::inherit());
        // Cargo describes the running package to its program. Build scripts look at these variables, and everything
        // after them would be built anew, here and by the next cargo.
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy();
            if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.output().context("running cargo")?;
        ensure!(output.status.success(), "the programs do not build");
        let messages: Vec<Value> =
            output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let program = |name| {
            let found = messages.iter().find_map(|message| executable(message, name));
            found.with_context(|| format!("cargo built no program {name}"))
        };
        Ok(Self { producer: program("producer")?, worker: program("worker")? })
    }
}

/// The path in one of cargo's messages, if it reports this program. Its unit tests are reported as a binary too.
fn executable(message: &Value, name: &str) -> Option<PathBuf> {
    let is_program = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == name
        && message["target"]["kind"].as_array()?.contains(&Value::from("bin"))
        && message["profile"]["test"] == false;
    is_program.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}
