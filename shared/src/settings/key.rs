/// A key of the file, with one sentence for whoever writes it. A [`Section`](super::Section) takes nothing else, so no
/// key can be read that editors do not explain.
#[derive(Clone, Copy)]
pub struct Key {
    pub(super) name: &'static str,
    /// The Lambda binaries explain nothing, and are without it.
    #[cfg(feature = "schema")]
    pub(super) about: &'static str,
}

/// A key and what it is for.
pub const fn key(name: &'static str, about: &'static str) -> Key {
    #[cfg(not(feature = "schema"))]
    let _ = about;
    Key {
        name,
        #[cfg(feature = "schema")]
        about,
    }
}

impl Key {
    pub const fn name(self) -> &'static str {
        self.name
    }
}
