//! A check, and how it is held against a subject.

use std::pin::Pin;
use std::time::Duration;

use crate::subject::{Subject, World};

/// Far longer than any check takes; it only keeps a broken one from hanging.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A named behaviour of the state. It panics where it does not find it.
pub(crate) struct Check {
    /// With the crate's name in front.
    pub(crate) name: &'static str,
    pub(crate) run: for<'s> fn(&'s Subject) -> Pin<Box<dyn Future<Output = ()> + 's>>,
}

impl Check {
    /// World, module and function.
    pub(crate) fn named(&self, world: &str) -> String {
        let name = self.name.split_once("::").map_or(self.name, |(_, name)| name);
        format!("{world}::{name}")
    }

    pub(crate) fn hold_in(&self, world: World) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let subject = Subject::fresh(world).await;
            tokio::time::timeout(TIMEOUT, (self.run)(&subject)).await.expect("it hangs");
        });
    }
}
