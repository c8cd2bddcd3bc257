use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::fetch::{Missing, Parcel, version};

const PART: &str = "the Python environment (MiniStack, AWS Encryption SDK for Python)";
const REQUIREMENTS: &str = include_str!("../python/requirements.txt");
/// What the newest of the packages asks for.
const LEAST: (u32, u32) = (3, 11);

/// A Python environment with MiniStack, boto3 and the AWS Encryption SDK.
#[derive(Debug)]
pub struct Python {
    programs: PathBuf,
}

/// The Python environment; fetched at the first call ever, which takes half a minute.
///
/// # Errors
/// When it cannot be had on this machine.
pub fn python() -> Result<&'static Python, Missing> {
    static PYTHON: OnceLock<Result<Python, Missing>> = OnceLock::new();
    PYTHON.get_or_init(|| fetch("python3")).as_ref().map_err(Clone::clone)
}

impl Python {
    /// The interpreter, to which a script can be given as argument.
    pub fn command(&self) -> Command {
        self.program("python3")
    }

    /// A program that a package brought.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }
}

fn fetch(interpreter: &str) -> Result<Python, Missing> {
    let version = version(PART, interpreter, LEAST)?;
    let parcel = Parcel { part: PART, name: "python", contents: format!("{version}\n{REQUIREMENTS}") };
    let folder = parcel.folder(|folder| {
        parcel.run(Command::new(interpreter).args(["-m", "venv"]).arg(folder))?;
        let requirements = folder.join("requirements.txt");
        std::fs::write(&requirements, REQUIREMENTS).map_err(|error| Missing::new(PART, error))?;
        let mut pip = Command::new(folder.join("bin/python3"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--retries", "2"]);
        parcel.run(pip.arg("--requirement").arg(&requirements))
    })?;
    Ok(Python { programs: folder.join("bin") })
}
