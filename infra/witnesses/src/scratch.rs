//! The one folder that everything here writes to.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, io};

/// `witnesses` in the target folder of the running test.
pub(crate) fn folder() -> io::Result<PathBuf> {
    let folder = target()?.join("witnesses");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The target folder of the running test.
pub(crate) fn target() -> io::Result<PathBuf> {
    let test = env::current_exe()?;
    // Cargo leaves this file in every target folder.
    let target = test.ancestors().find(|folder| folder.join(".rustc_info.json").is_file());
    let outside = || io::Error::other(format!("{} does not lie in a target folder of cargo", test.display()));
    target.map(Path::to_owned).ok_or_else(outside)
}

/// A new empty folder for the temporary files of one process.
pub(crate) fn temporary() -> io::Result<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = folder()?.join("tmp").join(format!("{}-{number}", std::process::id()));
    // Process ids come round again.
    remove(&path)?;
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
