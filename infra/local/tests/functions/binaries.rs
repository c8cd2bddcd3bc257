//! The two programs, built by cargo from the sources as they now are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Where the programs are.
pub(crate) struct Binaries {
    pub(crate) producer: PathBuf,
    pub(crate) worker: PathBuf,
}

/// Built once by whichever test comes first. Cargo holds no lock any more while it runs tests.
pub(crate) fn binaries() -> &'static Binaries {
    static BUILT: OnceLock<Result<Binaries, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_ref().unwrap_or_else(|failure| panic!("{failure}"))
}

/// With `--tests` the features are exactly those of `cargo test --workspace`: nothing is compiled a second time.
fn build() -> Result<Binaries, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp lies in the target directory");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins", "--tests", "--message-format=json-render-diagnostics"]);
    command.arg("--target-dir").arg(target).current_dir(workspace);
    // Cargo describes the tested package to its tests. Build scripts look at these variables (that of ring does), and
    // everything after them would be built anew, here and by the next cargo.
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the programs do not build:\n{stderr}"));
    }
    let messages: Vec<Value> =
        output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let executable = |name| {
        let found = messages.iter().find_map(|message| executable(message, name));
        found.ok_or_else(|| format!("cargo built no program {name}:\n{stderr}"))
    };
    Ok(Binaries { producer: executable("producer")?, worker: executable("worker")? })
}

/// The path in one of cargo's messages, if it reports this program. Its unit tests are reported as a binary too.
fn executable(message: &Value, name: &str) -> Option<PathBuf> {
    let is_program = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == name
        && message["target"]["kind"].as_array()?.contains(&Value::from("bin"))
        && message["profile"]["test"] == false;
    is_program.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}
