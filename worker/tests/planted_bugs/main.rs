//! Proof that the simulation can see. Each bug of [`bugs::BUGS`] is planted alone into a copy of the workspace, and the
//! simulation must then fail, for the reason that the bug names; unchanged, the copy passes.
//!
//! Each bug costs a build of the worker, some minutes for all of them:
//! `cargo test -p worker --test planted_bugs -- --include-ignored`

mod bugs;
mod copy;

use std::path::Path;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

use bugs::{BUGS, Bug};
use copy::{Copy, replaced};

/// Histories that are tried at most to find a bug; most are found within the first hundred.
const SEEDS_FOR_A_BUG: &str = "20000";
/// As many as the simulation tries by itself.
const SEEDS_WITHOUT_ONE: &str = "2000";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // There is one copy, which holds one bug at a time.
    arguments.test_threads = Some(1);
    let plantable = Trial::test("each_bug_can_still_be_planted", each_can_be_planted);
    let unchanged = Trial::test("unchanged_the_copy_passes", || simulate(None)).with_ignored_flag(true);
    let planted = BUGS.iter().map(|bug| Trial::test(bug.name, || simulate(Some(bug))).with_ignored_flag(true));
    libtest_mimic::run(&arguments, [plantable, unchanged].into_iter().chain(planted).collect()).exit_code()
}

/// Whether the source still has the text that each bug replaces, without a build.
fn each_can_be_planted() -> Result<(), Failed> {
    let faults: Vec<String> =
        BUGS.iter().filter_map(|bug| replaced(&workspace().join(bug.file), bug.right, bug.wrong).err()).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the worker's folder lies in the workspace's")
}

/// Runs the simulation with this bug, or without any.
fn simulate(bug: Option<&Bug>) -> Result<(), Failed> {
    let copy = Copy::of(workspace(), &Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted_bugs"))?;
    if let Some(bug) = bug {
        copy.replace(bug.file, bug.right, bug.wrong)?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--locked", "-p", "worker", "--no-default-features", "--test", "simulation"])
        .args(["--target-dir", "target"])
        .env("SIMULATION_SEEDS", if bug.is_some() { SEEDS_FOR_A_BUG } else { SEEDS_WITHOUT_ONE })
        .env("RUSTFLAGS", "-A warnings")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(copy.folder())
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last_lines =
        || said.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    match bug {
        None if output.status.success() => Ok(()),
        None => Err(format!("the simulation fails without a bug:\n{}", last_lines()).into()),
        Some(_) if output.status.success() => Err("the simulation did not see it".into()),
        Some(bug) if bug.seen_as.iter().any(|invariant| said.contains(invariant)) => Ok(()),
        Some(bug) => {
            Err(format!("it was not seen as any of {:?}, or does not build:\n{}", bug.seen_as, last_lines()).into())
        }
    }
}
