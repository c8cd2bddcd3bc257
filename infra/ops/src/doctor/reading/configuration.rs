use std::path::{Path, PathBuf};

use shared::Environment;
use shared::settings::Faults;
use worker::SecretMembers;
use worker::config::{Checked, File, ProviderSettings};

use super::function::Function;
use super::secret::Secret;
use super::unread::{NotNamed, Reading, Unread, known};

/// The configuration file, which is deployed beside the programs and cannot be read from there.
pub(crate) struct Configuration {
    pub(crate) path: PathBuf,
    text: String,
    /// As it can be known from here.
    pub(crate) checked: Checked,
    /// As the worker would find it, with its own variables and secret.
    pub(crate) at_worker: Reading<Result<(), Faults>>,
}

/// Without the environment of this machine, which is not the worker's.
fn check(text: &str) -> Checked {
    Checked::read(text, &Environment::from_lookup(|_| None))
}

impl Configuration {
    /// # Errors
    /// When there is no such file, it cannot be read, or it is no text.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = crate::config::read(path)?;
        let text = crate::config::utf8(&bytes).map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
        Ok(Self::of(path.to_owned(), text.to_owned()))
    }

    pub(crate) fn of(path: PathBuf, text: String) -> Self {
        let checked = check(&text);
        Self { path, text, checked, at_worker: Err(Unread::NotNamed(NotNamed::Offline)) }
    }

    /// Its providers, if it has no fault: good enough to be reached, though not to send.
    pub(super) fn providers(&self) -> Option<Vec<ProviderSettings>> {
        Some(check(&self.text).file.ok()?.providers)
    }

    /// Reads it once more, where the worker's environment and its secret are known.
    pub(crate) fn look_as_worker(&mut self, worker: &Reading<Function>, secret: &Reading<Option<Secret>>) {
        self.at_worker = worker.as_ref().map_err(Clone::clone).and_then(|worker| {
            let members = self.members(secret)?;
            let read = File::parse_with(&self.text, &worker.variables.environment(), members);
            Ok(read.map(|_| ()))
        });
    }

    /// Reads it once more with the secret that it is to have; the worker's environment is not known.
    pub(crate) fn look_with_secret(&mut self, secret: &Reading<Option<Secret>>) {
        self.at_worker = match self.members(secret) {
            _ if !self.needs_secret() => Ok(Ok(())),
            Ok(Some(members)) => Ok(Checked::read_with_secret(&self.text, members).map(|_| ())),
            Ok(None) => Err(Unread::NotNamed(NotNamed::SoundSecret)),
            Err(unread) => Err(unread),
        };
    }

    /// Whether it names members of the secret, or may: its faults may hide them.
    pub(super) fn needs_secret(&self) -> bool {
        self.checked.file.is_err() || !self.checked.needed.secret.is_empty()
    }

    /// What the secret holds; of no interest where the file names nothing of it.
    fn members<'s>(&self, secret: &'s Reading<Option<Secret>>) -> Reading<Option<&'s SecretMembers>> {
        if !self.needs_secret() {
            return Ok(None);
        }
        let secret = known(secret)?;
        Ok(secret.as_ref().and_then(|secret| secret.members.as_ref().ok()))
    }
}
