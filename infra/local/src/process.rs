//! A process whose end can be waited for by many, and whose output is kept.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// A process prints a few lines for each message; this is a day's work of messages.
const MOST_OUTPUT_BYTES: usize = 64 * 1024 * 1024;

/// A running or ended process. It is killed when this is dropped.
pub struct Process {
    id: Option<u32>,
    output: Arc<Mutex<Vec<u8>>>,
    kill: Arc<Notify>,
    ended: watch::Receiver<Option<Ended>>,
    running: JoinHandle<()>,
}

#[derive(Clone, Copy)]
struct Ended {
    code: Option<i32>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let id = child.id();
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(keep_lines(stdout, Arc::clone(&output)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(keep_lines(stderr, Arc::clone(&output)));
        }
        let kill = Arc::new(Notify::new());
        let (sender, ended) = watch::channel(None);
        let running = tokio::spawn(run(child, readers, Arc::clone(&kill), sender));
        Ok(Self { id, output, kill, ended, running })
    }

    /// The operating system's id of the process, which may have ended since.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// Waits until the process has ended and all its output is kept; its exit code, if no signal ended it.
    pub async fn ended(&self) -> Option<i32> {
        let mut ended = self.ended.clone();
        // The sender goes away without a word only together with this process.
        ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.and_then(|ended| ended.code))
    }

    /// Ends it as `kill -9` does. When this returns it is gone, and all that it printed is in [`Process::output`].
    pub async fn kill(&self) {
        self.kill.notify_one();
        self.ended().await;
    }

    /// Everything that it has printed so far to standard output and standard error, line by line as the lines came; of
    /// what is more than 64 MiB, the beginning.
    pub fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn run(mut child: Child, mut readers: JoinSet<()>, kill: Arc<Notify>, ended: watch::Sender<Option<Ended>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            // It fails only for a process that has ended.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    while readers.join_next().await.is_some() {}
    ended.send_replace(Some(Ended { code: status.ok().and_then(|status| status.code()) }));
}

/// Reads to the end whatever is kept: a process that cannot print would stand still.
async fn keep_lines(pipe: impl AsyncRead + Unpin, output: Arc<Mutex<Vec<u8>>>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(1..) = pipe.read_until(b'\n', &mut line).await {
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_OUTPUT_BYTES.saturating_sub(output.len());
        output.extend_from_slice(&line[..line.len().min(room)]);
        line.clear();
    }
}
