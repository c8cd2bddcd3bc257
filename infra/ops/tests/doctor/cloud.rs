//! An account of MiniStack, and what changes it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use witnesses::{MiniStack, python};

pub(crate) const REGION: &str = "eu-west-1";

pub(crate) struct Cloud {
    pub(crate) ministack: &'static MiniStack,
    pub(crate) account: String,
    /// A process that makes calls, since the AWS CLI takes most of a second for each.
    hand: Mutex<Hand>,
}

struct Hand {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cloud {
    pub(crate) fn of(ministack: &'static MiniStack, account: String) -> Self {
        let cli = ministack.aws_cli(python().unwrap(), &account);
        let mut python = python().unwrap().command();
        python.env_clear().envs(set(&cli)).args(["-c", include_str!("hand.py")]);
        let mut process = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asks, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { ministack, account, hand: Mutex::new(Hand { process, asks, answers }) }
    }

    /// Makes a call of boto3.
    pub(crate) fn call(&self, service: &str, call: &str, arguments: &Value) -> Value {
        let answer = self.try_call(service, call, arguments);
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_call(&self, service: &str, call: &str, arguments: &Value) -> Result<Value, String> {
        let hand = &mut *self.hand.lock().unwrap();
        writeln!(hand.asks, "{}", json!([service, call, arguments])).unwrap();
        let mut line = String::new();
        hand.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// A command line as an operator pastes it: a shell that finds `aws` and `sealpost`.
    pub(crate) fn paste(&self, command: &str) -> Output {
        let cli = self.ministack.aws_cli(python().unwrap(), &self.account);
        let mut shell = Command::new("sh");
        shell.env_clear().envs(set(&cli)).args(["-e", "-c", command]);
        let programs = [cli.get_program(), env!("CARGO_BIN_EXE_sealpost").as_ref()];
        let folders = programs.map(|program| PathBuf::from(program).parent().unwrap().to_owned());
        let path = folders.iter().map(PathBuf::as_path).chain(["/usr/bin".as_ref(), "/bin".as_ref()]);
        shell.env("PATH", std::env::join_paths(path).unwrap());
        // Tests that run at once leave files of the same name.
        let folder = tempfile::tempdir().unwrap();
        shell.current_dir(folder.path()).output().unwrap()
    }

    /// `sealpost` as the root of the account.
    pub(crate) fn sealpost(&self) -> Command {
        let cli = self.ministack.aws_cli(python().unwrap(), &self.account);
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealpost"));
        command.env_clear().envs(set(&cli)).current_dir(self.ministack.folder());
        command
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a command has set of its environment.
fn set(command: &Command) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}
