use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::fetch::{Missing, Parcel, version};

const INTERPRETER: &str = "python3";
/// What the newest of the packages asks for.
const LEAST: (u32, u32) = (3, 11);

/// A Python environment: an interpreter, and the programs of its packages.
#[derive(Debug)]
pub struct Python {
    programs: PathBuf,
}

/// The Python environment with MiniStack, the AWS CLI, the SAM translator, boto3 and the AWS Encryption SDK; fetched at
/// the first call ever, which takes half a minute.
///
/// # Errors
/// When it cannot be had on this machine.
pub fn python() -> Result<&'static Python, Missing> {
    static PYTHON: Environment = Environment {
        part: "the Python environment (MiniStack, AWS CLI, SAM translator, AWS Encryption SDK for Python)",
        name: "python",
        requirements: include_str!("../python/requirements.txt"),
        fetched: OnceLock::new(),
    };
    PYTHON.get()
}

/// The Python environment with moto, which wants a later botocore than MiniStack; fetched at the first call ever, which
/// takes half a minute.
///
/// # Errors
/// When it cannot be had on this machine.
pub fn moto() -> Result<&'static Python, Missing> {
    static MOTO: Environment = Environment {
        part: "moto",
        name: "moto",
        requirements: include_str!("../python/moto.txt"),
        fetched: OnceLock::new(),
    };
    MOTO.get()
}

/// The Python environment with cfn-lint and checkov, which want other versions of what MiniStack needs; fetched at the
/// first call ever, which takes half a minute.
///
/// # Errors
/// When it cannot be had on this machine.
pub fn linters() -> Result<&'static Python, Missing> {
    static LINTERS: Environment = Environment {
        part: "the linters (cfn-lint, checkov)",
        name: "linters",
        requirements: include_str!("../python/linters.txt"),
        fetched: OnceLock::new(),
    };
    LINTERS.get()
}

impl Python {
    /// The interpreter, to which a script can be given as argument.
    pub fn command(&self) -> Command {
        self.program("python3")
    }

    /// A program that a package brought.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }
}

/// What an environment is made of, and what came of fetching it.
struct Environment {
    part: &'static str,
    name: &'static str,
    requirements: &'static str,
    fetched: OnceLock<Result<Python, Missing>>,
}

impl Environment {
    fn get(&'static self) -> Result<&'static Python, Missing> {
        self.fetched.get_or_init(|| self.fetch()).as_ref().map_err(Clone::clone)
    }

    fn fetch(&self) -> Result<Python, Missing> {
        let &Self { part, name, requirements, .. } = self;
        let version = version(part, INTERPRETER, LEAST)?;
        let parcel = Parcel { part, name, contents: format!("{version}\n{requirements}") };
        let folder = parcel.folder(|folder| {
            parcel.run(Command::new(INTERPRETER).args(["-m", "venv"]).arg(folder))?;
            let file = folder.join("requirements.txt");
            std::fs::write(&file, requirements).map_err(|error| Missing::new(part, error))?;
            let mut pip = Command::new(folder.join("bin/python3"));
            pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--retries", "2"]);
            parcel.run(pip.arg("--requirement").arg(&file))
        })?;
        Ok(Python { programs: folder.join("bin") })
    }
}
