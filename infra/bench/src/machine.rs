//! What the figures were measured on and with. No host name.

use std::path::Path;
use std::process::Command;

use serde::Serialize;
use shared::Clock;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// UTC, `2026-11-24`.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    /// How many processes wanted a core in the minute before, on average: what else it had to do.
    pub(crate) load_average: f64,
    pub(crate) system: String,
    pub(crate) rust: String,
    /// None where there is no Node.js.
    pub(crate) node: Option<String>,
}

impl Machine {
    /// This one. What cannot be found out is said to be unknown.
    pub(crate) fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let processor = after(&read("/proc/cpuinfo"), "model name", ':').unwrap_or_else(unknown);
        let memory = after(&read("/proc/meminfo"), "MemTotal", ':');
        let kibibytes = memory.and_then(|memory| memory.trim_end_matches("kB").trim().parse::<u64>().ok());
        let load_average = read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok());
        let system = after(&read("/etc/os-release"), "PRETTY_NAME", '=').unwrap_or_else(unknown);
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            date: Clock::system().now().to_string().chars().take(10).collect(),
            processor,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_gib: kibibytes.unwrap_or_default().div_ceil(1 << 20),
            load_average: load_average.unwrap_or_default(),
            system: format!("{}, kernel {}", system.trim_matches('"'), kernel.trim()),
            rust: version_of(Path::new("rustc"), "-V").unwrap_or_else(unknown),
            node: version_of(Path::new("node"), "--version"),
        }
    }
}

/// The rest of the first line that begins with `name`, after the separator.
fn after(text: &str, name: &str, separator: char) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_once(separator)?.1.trim().to_owned())
}

fn version_of(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read_line_by_line() {
        let processor = "processor\t: 0\nmodel name\t: A Processor 9000\nmodel name\t: Another\n";
        assert_eq!(after(processor, "model name", ':').as_deref(), Some("A Processor 9000"));
        assert_eq!(after("PRETTY_NAME=\"Debian\"\n", "PRETTY_NAME", '=').as_deref(), Some("\"Debian\""));
        assert_eq!(after("", "MemTotal", ':'), None);
    }
}
