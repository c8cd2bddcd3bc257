//! The Lambda binaries as they are deployed: a release build, each package alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::scratch;

/// The folder with the release builds of `producer` and `worker`, from the sources as they now are. The first time
/// takes minutes.
///
/// `LAMBDA_BINARIES` names a folder that holds both already, for whoever works on the tests that need them.
///
/// # Panics
/// When they do not build.
pub fn lambda_binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("LAMBDA_BINARIES") {
        return folder.into();
    }
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(|| build("producer").and_then(|_| build("worker")));
    folder.clone().unwrap_or_else(|failure| panic!("{failure}"))
}

/// Builds one package; the folder of its binary.
fn build(package: &str) -> Result<PathBuf, String> {
    eprintln!("building {package} as it is deployed: minutes the first time");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = scratch::target().map_err(|error| error.to_string())?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--quiet", "--package", package]);
    command.arg("--target-dir").arg(&target).current_dir(workspace);
    // Cargo describes the tested package to its tests. Build scripts look at these variables (that of ring does), and
    // everything after them would be built anew.
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{package} does not build:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(target.join("release"))
}
