//! The share of a processor that Lambda gives a function of some memory size, enforced by a control group. Only the
//! measured program is in the group; the stand-ins around it have what is left of the machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// The memory size at which Lambda gives a whole processor
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const WHOLE_PROCESSOR_MB: u64 = 1769;
/// How often the share is dealt out. Assumed: AWS does not say what Lambda's is.
const PERIOD_MICROS: u64 = 20_000;
const V1: &str = "/sys/fs/cgroup/cpu";
const V2: &str = "/sys/fs/cgroup";

/// A group of processes that together get no more than a share of one processor. It goes away when dropped, once its
/// processes have ended.
pub(crate) struct Share {
    group: PathBuf,
    version: Version,
    launchers: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Share {
    /// A group of no processes and without a limit; the name keeps it apart from others of this process.
    ///
    /// # Errors
    /// When this system has no control groups, or this user may not make one.
    pub(crate) fn unlimited(name: &str) -> anyhow::Result<Self> {
        let (version, root) = hierarchy()?;
        let launchers = tempfile::tempdir().context("making a temporary folder")?;
        let group = root.join(format!("sealpost-measure-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&group).with_context(|| format!("making the control group {}", group.display()))?;
        let share = Self { group, version, launchers };
        share.set(None)?;
        Ok(share)
    }

    /// From now on the processes get what Lambda gives a function of so many megabytes, or, without a size, whatever
    /// they want.
    ///
    /// # Errors
    /// When the limit cannot be written.
    pub(crate) fn set(&self, memory_mb: Option<u32>) -> anyhow::Result<()> {
        let quota = memory_mb.map(quota_micros);
        match self.version {
            Version::One => {
                self.write("cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
                self.write("cpu.cfs_quota_us", &quota.map_or_else(|| "-1".to_owned(), |quota| quota.to_string()))
            }
            Version::Two => {
                let quota = quota.map_or_else(|| "max".to_owned(), |quota| quota.to_string());
                self.write("cpu.max", &format!("{quota} {PERIOD_MICROS}"))
            }
        }
    }

    /// A program that becomes this one after it has joined the group: nothing of the program runs outside. It takes
    /// about a millisecond more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn launcher(&self, program: &Path) -> anyhow::Result<PathBuf> {
        let program = std::path::absolute(program).context("finding the program")?;
        let name = program.file_name().context("a program has a name")?;
        let launcher = self.launchers.path().join(name);
        let (processes, program) = (quoted(&self.group.join("cgroup.procs")), quoted(&program));
        let script = format!("#!/bin/sh\necho $$ > {processes} && exec {program}\n");
        std::fs::write(&launcher, script).with_context(|| format!("writing {}", launcher.display()))?;
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&launcher, executable).context("making the launcher executable")?;
        Ok(launcher)
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.group.join(file);
        std::fs::write(&path, text).with_context(|| format!("writing {text} to {}", path.display()))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A process that was just killed is still in it for a moment. What stays behind is empty and harms nothing.
        for _attempt in 0..50 {
            if std::fs::remove_dir(&self.group).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Where groups with a limited processor are made on this system.
fn hierarchy() -> anyhow::Result<(Version, PathBuf)> {
    if Path::new(V1).join("cgroup.procs").exists() {
        return Ok((Version::One, V1.into()));
    }
    let controllers = std::fs::read_to_string(Path::new(V2).join("cgroup.controllers")).unwrap_or_default();
    if !controllers.split_whitespace().any(|controller| controller == "cpu") {
        bail!("this system has no control groups that limit a processor");
    }
    let handed_down = Path::new(V2).join("cgroup.subtree_control");
    std::fs::write(&handed_down, "+cpu").with_context(|| format!("writing +cpu to {}", handed_down.display()))?;
    Ok((Version::Two, V2.into()))
}

/// The processor time that a function of this size has in each period.
fn quota_micros(memory_mb: u32) -> u64 {
    u64::from(memory_mb) * PERIOD_MICROS / WHOLE_PROCESSOR_MB
}

/// As the shell takes it for one word, whatever is in it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write as _;
    use std::process::Command;
    use std::time::Instant;

    use super::*;
    use crate::process;

    /// The part of a processor that a program gets which wants all it can have.
    fn share_of_a_busy_program(share: &Share, memory_mb: u32) -> f64 {
        let folder = tempfile::tempdir().expect("a folder");
        let busy = folder.path().join("a 'busy' program");
        std::fs::write(&busy, "#!/bin/sh\nwhile :; do :; done\n").expect("a script");
        std::fs::set_permissions(&busy, std::fs::Permissions::from_mode(0o755)).expect("an executable script");
        share.set(Some(memory_mb)).expect("a limit");
        let mut running = Command::new(share.launcher(&busy).expect("a launcher")).spawn().expect("a process");
        std::thread::sleep(Duration::from_millis(100));
        let (began, before) = (Instant::now(), process::cpu_time(running.id()).expect("it runs"));
        std::thread::sleep(Duration::from_secs(2));
        let used = process::cpu_time(running.id()).expect("it runs").saturating_sub(before);
        let took = began.elapsed();
        running.kill().and_then(|()| running.wait()).expect("it ends");
        used.as_secs_f64() / took.as_secs_f64()
    }

    #[test]
    fn a_busy_program_gets_no_more_than_the_share_of_its_memory_size() {
        let share = match Share::unlimited("test") {
            Ok(share) => share,
            Err(reason) => {
                // Not by a macro, whose lines nobody sees of a test that passes.
                let _ = writeln!(std::io::stderr(), "LEFT OUT: a busy program gets its share, because {reason:#}");
                return;
            }
        };
        for memory_mb in [128, 512, 1024] {
            let (expected, got) = (f64::from(memory_mb) / 1769.0, share_of_a_busy_program(&share, memory_mb));
            // A machine with other work may give it less, and never more.
            assert!(got > 0.0 && got < 1.1 * expected, "{memory_mb} MB: {got:.3} instead of {expected:.3}");
        }
        let group = share.group.clone();
        drop(share);
        assert!(!group.exists());
    }

    #[test]
    fn the_share_is_in_proportion_to_the_memory() {
        assert_eq!([128, 1024, 1769].map(quota_micros), [1447, 11_577, 20_000]);
    }
}
