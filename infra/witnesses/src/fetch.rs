//! Fetching a set of packages once, and knowing that it is there.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::process::Process;
use crate::scratch;

/// One command's time: half a minute on an ordinary line.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long another test's fetching is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_millis(100);
/// The lines of a failed command that are shown: where the trouble begins, and what came of it.
const FIRST_LINES: usize = 3;
const LAST_LINES: usize = 4;

/// A part that cannot be had on this machine. What needs it is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part} cannot be had: {reason}")]
pub struct Missing {
    part: &'static str,
    reason: String,
}

impl Missing {
    pub(crate) fn new(part: &'static str, reason: impl ToString) -> Self {
        Self { part, reason: reason.to_string() }
    }

    /// What cannot be had, without the reason.
    pub(crate) fn part(&self) -> &'static str {
        self.part
    }
}

/// What is to be fetched.
pub(crate) struct Parcel {
    /// For people.
    pub(crate) part: &'static str,
    /// The folder's name.
    pub(crate) name: &'static str,
    /// What determines the content: fetched anew when it changes.
    pub(crate) contents: String,
}

impl Parcel {
    /// The folder with the packages, in which `fetch` was done at some time.
    pub(crate) fn folder(&self, fetch: impl FnOnce(&Path) -> Result<(), Missing>) -> Result<PathBuf, Missing> {
        let missing = |error: io::Error| Missing::new(self.part, error);
        let home = scratch::folder().map_err(missing)?;
        let (folder, mark) = (home.join(self.name), home.join(self.name).join("fetched-from"));
        let _lock = lock(&home.join(format!("{}.lock", self.name))).map_err(missing)?;
        if fs::read_to_string(&mark).is_ok_and(|contents| contents == self.contents) {
            return Ok(folder);
        }
        eprintln!("fetching {} into {}, once: some seconds to a minute", self.part, folder.display());
        scratch::remove(&folder).map_err(missing)?;
        fs::create_dir_all(&folder).map_err(missing)?;
        fetch(&folder)?;
        fs::write(&mark, &self.contents).map_err(missing)?;
        Ok(folder)
    }

    /// Runs one command of the fetching.
    pub(crate) fn run(&self, command: &Command) -> Result<(), Missing> {
        let missing = |error: io::Error| Missing::new(self.part, format!("{}: {error}", shown(command)));
        let temporary = scratch::temporary().map_err(missing)?;
        let mut process = Process::start(command, &temporary).map_err(missing)?;
        let end = match process.ended_within(COMMAND_TIMEOUT).map_err(missing)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => status.to_string(),
            None => format!("no end within {} minutes", COMMAND_TIMEOUT.as_secs() / 60),
        };
        let reason = format!("{}: {end}: {}", shown(command), excerpt(&process.output()));
        Err(Missing::new(self.part, reason))
    }
}

/// A long text on one line.
fn excerpt(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.len() > FIRST_LINES + LAST_LINES {
        lines.splice(FIRST_LINES..lines.len() - LAST_LINES, ["…"]);
    }
    lines.join(" | ")
}

/// The version that a program prints, if it is at least `least`.
pub(crate) fn version(part: &'static str, program: &str, least: (u32, u32)) -> Result<String, Missing> {
    let wanted = format!("{program} {}.{} or later is needed on the PATH", least.0, least.1);
    let output = Command::new(program).arg("--version").output();
    let output = output.map_err(|error| Missing::new(part, format!("{wanted}, and does not run here: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= least => Ok(text),
        _ => Err(Missing::new(part, format!("{wanted}; this one says that it is {text:?}"))),
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Holds off other processes until it is dropped.
fn lock(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another process has held {} for {} s", path.display(), LOCK_TIMEOUT.as_secs());
                return Err(io::Error::other(message));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_parcel_is_fetched_once_and_again_when_its_contents_change() {
        let fetched = Cell::new(0);
        let folder = |contents: &str| {
            let parcel = Parcel { part: "a test", name: "test-parcel", contents: contents.to_owned() };
            let put = |folder: &Path| {
                assert_eq!(fs::read_dir(folder).expect("it is there").count(), 0, "nothing old is left");
                fetched.set(fetched.get() + 1);
                parcel.run(Command::new("touch").arg(folder.join("a")))
            };
            parcel.folder(put).expect("touch works")
        };
        scratch::remove(&scratch::folder().expect("writable").join("test-parcel")).expect("writable");
        for (contents, times) in [("1", 1), ("1", 1), ("2", 2), ("2", 2)] {
            assert!(folder(contents).join("a").is_file());
            assert_eq!(fetched.get(), times, "{contents}");
        }
    }

    #[test]
    fn a_parcel_that_failed_is_not_taken_for_fetched() {
        let parcel = Parcel { part: "the parcel", name: "test-failure", contents: String::new() };
        let script = "for line in 1 2 3 4 5 6 7 8 9; do echo line $line; done; exit 9";
        for _ in 0..2 {
            let missing = parcel.folder(|_| parcel.run(Command::new("sh").args(["-c", script]))).expect_err("it fails");
            assert_eq!(
                missing.to_string(),
                format!(
                    "the parcel cannot be had: sh -c {script}: exit status: 9: \
                     line 1 | line 2 | line 3 | … | line 6 | line 7 | line 8 | line 9"
                )
            );
        }
    }

    #[test]
    fn a_program_that_is_absent_or_too_old_is_named_with_the_version_that_is_needed() {
        assert!(version("a part", "cargo", (1, 0)).is_ok_and(|text| text.starts_with("cargo 1.")));
        let old = version("a part", "cargo", (1000, 1)).expect_err("too old").to_string();
        assert!(old.contains("cargo 1000.1 or later is needed on the PATH; this one says"), "{old}");
        let absent = version("a part", "no-such-program", (1, 0)).expect_err("absent").to_string();
        assert!(absent.contains("no-such-program 1.0 or later is needed on the PATH, and does not run"), "{absent}");
    }
}
