//! A child process with everything that it starts. It ends when it is dropped, and also when the test that started
//! it is killed.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::scratch;

/// Runs `"$@"` in a process group of its own. When the other end of standard input closes, the group is ended and
/// its temporary folder removed.
const IN_A_GROUP: &str = r#"
exec 3<&0
{ trap : TERM; cat <&3; kill -TERM 0; sleep 1; rm -rf -- "$TMPDIR"; kill -KILL 0; } >/dev/null 2>&1 &
"$@" </dev/null 3<&-
"#;

/// Of a process's output the last so many bytes are kept.
const OUTPUT_BYTES: usize = 8 * 1024 * 1024;
const POLL: Duration = Duration::from_millis(20);
/// What an ended process has printed is read by then, unless one that it started still holds the pipe.
const LAST_WORDS: Duration = Duration::from_secs(2);
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Between our choice of a free port and the child's use of it another process may take it.
const PORTS_TO_TRY: usize = 3;

/// A part that was fetched and does not start. This is a failure, not a missing part.
#[derive(Debug, thiserror::Error)]
#[error("{part} does not start: {cause}")]
pub struct StartError {
    part: &'static str,
    cause: String,
}

/// A running or ended process.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts a command whose `TMPDIR` is `temporary`.
    pub(crate) fn start(command: &Command, temporary: &Path) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(IN_A_GROUP).arg("sh").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            set(&mut shell, name, value);
        }
        shell.env("TMPDIR", temporary).current_dir(command.get_current_dir().unwrap_or(temporary));
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn()?;
        let output = Arc::default();
        let stdout = child.stdout.take().map(|pipe| keep(pipe, &output));
        let stderr = child.stderr.take().map(|pipe| keep(pipe, &output));
        Ok(Self { child, output, readers: stdout.into_iter().chain(stderr).collect() })
    }

    /// Waits for the end of the process and of its output; none when it does not end in time.
    pub(crate) fn ended_within(&mut self, timeout: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait()? {
                let deadline = Instant::now() + LAST_WORDS;
                while Instant::now() < deadline && !self.readers.iter().all(JoinHandle::is_finished) {
                    thread::sleep(POLL);
                }
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(POLL);
        }
    }

    /// What the process has printed so far; of a long output, the end.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It fails only for a process that is gone.
        let _ = self.child.wait();
    }
}

fn set(command: &mut Command, name: &OsStr, value: Option<&OsStr>) {
    match value {
        Some(value) => command.env(name, value),
        None => command.env_remove(name),
    };
}

/// Reads to the end: a process that cannot print would stand still.
fn keep(mut pipe: impl io::Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.extend_from_slice(&bytes[..count]);
            let too_many = output.len().saturating_sub(OUTPUT_BYTES);
            output.drain(..too_many);
        }
    })
}

/// A process that serves HTTP on a port of 127.0.0.1.
pub(crate) struct Server {
    process: Process,
    port: u16,
    temporary: PathBuf,
}

impl Server {
    /// Starts what `command` makes of a free port and an empty folder, and waits until `GET` of `health` is answered
    /// with 200.
    pub(crate) fn start(
        part: &'static str,
        health: &str,
        command: impl Fn(u16, &Path) -> io::Result<Command>,
    ) -> Result<Self, StartError> {
        let failed = |cause: &dyn fmt::Display| StartError { part, cause: cause.to_string() };
        let mut last = String::new();
        for _ in 0..PORTS_TO_TRY {
            let mut server = Self::on_some_port(&command).map_err(|error| failed(&error))?;
            let deadline = Instant::now() + START_TIMEOUT;
            while server.process.ended_within(POLL).map_err(|error| failed(&error))?.is_none() {
                if answers(server.port, health) {
                    return Ok(server);
                }
                if Instant::now() >= deadline {
                    let waited = START_TIMEOUT.as_secs();
                    return Err(failed(&format!("no answer within {waited} s. It said: {}", server.process.output())));
                }
            }
            last = server.process.output();
        }
        Err(failed(&format!("it ends at once. It said: {last}")))
    }

    fn on_some_port(command: &impl Fn(u16, &Path) -> io::Result<Command>) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let temporary = scratch::temporary()?;
        let process = Process::start(&command(port, &temporary)?, &temporary)?;
        Ok(Self { process, port, temporary })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn output(&self) -> String {
        self.process.output()
    }

    /// The server's folder, which goes when it ends.
    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }
}

/// Whether the server answers 200.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script]), &scratch::temporary().expect("writable")).expect("sh")
    }

    #[test]
    fn what_a_process_has_started_ends_with_it() {
        let process = shell("sleep 1000 & echo $!; wait");
        let deadline = Instant::now() + START_TIMEOUT;
        while !process.output().ends_with('\n') {
            assert!(Instant::now() < deadline, "nothing was printed");
            thread::sleep(POLL);
        }
        let id = process.output().trim().to_owned();
        let runs = || Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().expect("kill").success();
        assert!(runs());
        drop(process);
        while runs() {
            assert!(Instant::now() < deadline, "{id} still runs");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn the_exit_code_and_the_end_of_a_long_output_are_kept() {
        let mut process = shell("yes | head -c 10000000; echo the end; exit 3");
        let status = process.ended_within(START_TIMEOUT).expect("it can be waited for").expect("it ends");
        assert_eq!(status.code(), Some(3));
        assert!(process.output().ends_with("the end\n"));
        assert!(process.output().len() <= OUTPUT_BYTES);
    }

    #[test]
    fn a_server_that_does_not_start_says_what_it_said() {
        let started = Server::start("the server", "/", |_, _| {
            let mut command = Command::new("sh");
            command.args(["-c", "echo no such option; exit 2"]);
            Ok(command)
        });
        let error = started.map(|_| ()).expect_err("it ends at once").to_string();
        assert_eq!(error, "the server does not start: it ends at once. It said: no such option\n");
    }
}
