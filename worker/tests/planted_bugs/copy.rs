//! A copy of the workspace that bugs can be planted into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is not source, or too large to matter.
const LEFT_OUT: [&str; 3] = ["target", ".git", "corpus"];

/// The workspace's files as they are now, in a folder of their own.
pub(crate) struct Copy(PathBuf);

impl Copy {
    /// Brings the copy up to date: what the workspace has no longer goes. A file that is as it should be is not written:
    /// what cargo built of it stays good.
    pub(crate) fn of(workspace: &Path, folder: &Path) -> io::Result<Self> {
        copy_folder(workspace, folder)?;
        Ok(Self(folder.to_owned()))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// Replaces a text that the file has exactly once.
    pub(crate) fn replace(&self, file: &str, right: &str, wrong: &str) -> Result<(), String> {
        let path = self.0.join(file);
        let text = replaced(&path, right, wrong)?;
        fs::write(path, text).map_err(|error| format!("{file}: {error}"))
    }
}

/// The file's text with a text replaced that it has exactly once.
pub(crate) fn replaced(path: &Path, right: &str, wrong: &str) -> Result<String, String> {
    let file = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{file}: {error}"))?;
    match text.matches(right).count() {
        1 => Ok(text.replace(right, wrong)),
        count => Err(format!("{file} has this text {count} times; the bug must be planted anew:\n{right}")),
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for copy in fs::read_dir(to)? {
        let copy = copy?;
        let is_kept = LEFT_OUT.iter().any(|name| copy.file_name() == *name);
        if !is_kept && !from.join(copy.file_name()).exists() {
            if copy.file_type()?.is_dir() { fs::remove_dir_all(copy.path())? } else { fs::remove_file(copy.path())? }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            let content = fs::read(&path)?;
            if fs::read(&copy).ok().as_ref() != Some(&content) {
                fs::write(copy, content)?;
            }
        }
    }
    Ok(())
}
