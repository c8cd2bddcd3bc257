use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a function has printed in one invocation. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct InvocationLog(Arc<Mutex<Vec<u8>>>);

/// What `X-Amz-Log-Type: Tail` gives of a log.
const TAIL: usize = 4 * 1024;

impl InvocationLog {
    /// Its last 4 KiB.
    pub(super) fn tail(&self) -> Vec<u8> {
        let log = self.bytes();
        log[log.len().saturating_sub(TAIL)..].to_vec()
    }

    /// Takes what it holds.
    pub(super) fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.bytes())).into_owned()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for InvocationLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartialEq for InvocationLog {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for InvocationLog {}
