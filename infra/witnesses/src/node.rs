use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::fetch::{Missing, Parcel, version};

const PART: &str = "the npm packages (cognito-local, AWS Encryption SDK for JavaScript)";
const PACKAGE: &str = include_str!("../node/package.json");
const LOCK: &str = include_str!("../node/package-lock.json");
/// What the newest of the packages asks for.
const LEAST: (u32, u32) = (20, 19);

/// Node.js with cognito-local, the AWS SDK's KMS client and the AWS Encryption SDK.
#[derive(Debug)]
pub struct Node {
    modules: PathBuf,
}

/// The npm packages; fetched at the first call ever, which takes half a minute.
///
/// # Errors
/// When they cannot be had on this machine.
pub fn node() -> Result<&'static Node, Missing> {
    static NODE: OnceLock<Result<Node, Missing>> = OnceLock::new();
    NODE.get_or_init(fetch).as_ref().map_err(Clone::clone)
}

impl Node {
    /// Node.js, to which a CommonJS script can be given as argument; its `require` finds the packages.
    pub fn command(&self) -> Command {
        let mut command = Command::new("node");
        command.env("NODE_PATH", &self.modules);
        command
    }

    /// The folder `node_modules`.
    pub fn modules(&self) -> &Path {
        &self.modules
    }
}

fn fetch() -> Result<Node, Missing> {
    let node = version(PART, "node", LEAST)?;
    version(PART, "npm", (7, 0))?;
    let parcel = Parcel { part: PART, name: "node", contents: format!("{node}\n{PACKAGE}{LOCK}") };
    let folder = parcel.folder(|folder| {
        let write = |name: &str, text| std::fs::write(folder.join(name), text);
        write("package.json", PACKAGE)
            .and_then(|()| write("package-lock.json", LOCK))
            .map_err(|error| Missing::new(PART, error))?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]);
        parcel.run(npm.current_dir(folder))
    })?;
    Ok(Node { modules: folder.join("node_modules") })
}
