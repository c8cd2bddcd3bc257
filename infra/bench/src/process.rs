//! What a process of this machine has used so far.

use std::time::Duration;

use anyhow::Context as _;

/// Processor time of all threads, ended ones included, in user and kernel mode. Nanoseconds, where `/proc/PID/stat`
/// counts hundredths of a second.
///
/// # Errors
/// When the process is gone, or the system has no such clock.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    use nix::{time::clock_getcpuclockid, unistd::Pid};
    let id = i32::try_from(process).context("process ids are positive")?;
    let clock = clock_getcpuclockid(Pid::from_raw(id)).context("the process has no clock; has it ended?")?;
    Ok(clock.now().context("reading the clock of a process")?.into())
}

/// The measurements read clocks and files that only Linux has.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_time(_process: u32) -> anyhow::Result<Duration> {
    anyhow::bail!("processor time is measured on Linux only")
}

/// The most memory that was ever resident, in bytes (`VmHWM`).
///
/// # Errors
/// When the process is gone, or the system has no `/proc`.
pub(crate) fn peak_memory(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}; has the process ended?"))?;
    high_water_mark(&status).with_context(|| format!("{path} has no VmHWM"))
}

fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_takes_processor_time_and_memory() {
        let own = std::process::id();
        let before = cpu_time(own).expect("this process runs");
        let mut bytes = vec![0_u8; 8 << 20];
        while cpu_time(own).expect("this process runs") < before + Duration::from_millis(2) {
            bytes.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
        }
        assert!(peak_memory(own).expect("this process runs") > bytes.len() as u64);
    }

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(high_water_mark("Name:\tworker\nVmHWM:\t   17412 kB\nVmRSS:\t 100 kB\n"), Some(17_412 * 1024));
        assert_eq!(high_water_mark("Name:\tworker\n"), None);
    }
}
