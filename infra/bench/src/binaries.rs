//! The programs that are measured, built by cargo from the sources as they now are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// How a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As it is deployed.
    Release,
    /// As this program is: for what is measured beside a part of it.
    Harness,
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds a program of one package by itself, so that no feature of another leaks into it; where it is.
///
/// # Errors
/// When it does not build.
pub(crate) fn built(package: &str, program: &str, profile: Profile) -> anyhow::Result<PathBuf> {
    let profile = match profile {
        Profile::Release => "release",
        Profile::Harness => "harness",
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--profile", profile, "--message-format=json-render-diagnostics"]);
    command.args(["-p", package, "--bin", program]);
    command.current_dir(workspace()).stdin(Stdio::null()).stderr(Stdio::inherit());
    // Cargo describes the running package to its program. Build scripts look at these variables, and everything after
    // them would be built anew, here and by the next cargo.
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command.output().context("running cargo")?;
    ensure!(output.status.success(), "{program} does not build");
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let executable = messages.filter_map(|message: Value| executable(&message, program)).next();
    executable.with_context(|| format!("cargo built no program {program}"))
}

/// The path in one of cargo's messages, if it reports this program.
fn executable(message: &Value, name: &str) -> Option<PathBuf> {
    let is_program = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == name
        && message["target"]["kind"].as_array()?.contains(&Value::from("bin"));
    is_program.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}
