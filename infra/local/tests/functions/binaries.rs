use std::path::PathBuf;

use witnesses::test_binaries;

/// Where the two programs are.
pub(crate) struct Binaries {
    pub(crate) producer: PathBuf,
    pub(crate) worker: PathBuf,
}

pub(crate) fn binaries() -> Binaries {
    let folder = test_binaries();
    Binaries { producer: folder.join("producer"), worker: folder.join("worker") }
}
