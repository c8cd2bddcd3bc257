//! The programs of this workspace, for tests that put them before the outside: built by cargo from the sources as they
//! now are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::scratch;

/// The folder with the release builds of `producer` and `worker`, each package alone, as they are deployed. The first
/// time takes minutes.
///
/// `LAMBDA_BINARIES` names a folder that holds both already, for whoever works on the tests that need them.
///
/// # Panics
/// When they do not build.
pub fn lambda_binaries() -> PathBuf {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let build = |package| {
        eprintln!("building {package} as it is deployed: minutes the first time");
        build(&["--release", "--package", package])
    };
    folder("LAMBDA_BINARIES", "release", &BUILT, || build("producer").and_then(|()| build("worker")))
}

/// The folder with all programs, built as the running test was. They are those of `cargo test --workspace`, features and
/// all: nothing is compiled a second time.
///
/// `TEST_BINARIES` names a folder that holds them already, for whoever works on the tests that need them.
///
/// # Panics
/// When they do not build.
pub fn test_binaries() -> PathBuf {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let (profile, flags) = if cfg!(debug_assertions) { ("debug", &[][..]) } else { ("release", &["--release"][..]) };
    folder("TEST_BINARIES", profile, &BUILT, || build(&[&["--workspace", "--bins", "--tests"], flags].concat()))
}

/// The folder that the variable names, or else that of a profile after a build.
fn folder(
    variable: &str,
    profile: &str,
    built: &OnceLock<Result<(), String>>,
    build: impl FnOnce() -> Result<(), String>,
) -> PathBuf {
    if let Some(folder) = std::env::var_os(variable) {
        return folder.into();
    }
    // Whichever test comes first builds. Cargo holds no lock any more while it runs tests.
    let built = built.get_or_init(build).clone().and_then(|()| scratch::target().map_err(|error| error.to_string()));
    built.unwrap_or_else(|failure| panic!("{failure}")).join(profile)
}

fn build(arguments: &[&str]) -> Result<(), String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = scratch::target().map_err(|error| error.to_string())?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet"]).args(arguments);
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
    let failure = || format!("cargo build {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(failure()) }
}
