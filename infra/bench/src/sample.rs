//! The AWS documentation's function in Node.js, made ready to run as a Lambda function.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

/// The sample as Lambda would unpack it: sources, packages and the program that is started.
pub(crate) struct Sample {
    folder: TempDir,
}

impl Sample {
    /// Puts the sources beside the packages in this `node_modules`.
    ///
    /// # Errors
    /// When there is no Node.js, or a temporary folder cannot be had.
    pub(crate) fn beside(packages: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        let sample = Self { folder };
        symlink(packages, sample.path("node_modules")).context("linking the sample's packages")?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
        for name in ["handler.js", "provider.js", "runtime.js"] {
            let source = sources.join(name);
            std::fs::copy(&source, sample.path(name)).with_context(|| format!("copying {}", source.display()))?;
        }
        let node = on_path("node").context("node is not on the PATH")?;
        let script = format!("#!{}\nrequire('./runtime.js');\n", node.display());
        std::fs::write(sample.program(), script).context("writing the sample's bootstrap")?;
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(sample.program(), executable).context("making the sample's bootstrap executable")?;
        Ok(sample)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.path("bootstrap")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
