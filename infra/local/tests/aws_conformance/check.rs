//! A check, and how it is held against a world.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::time::Duration;

use crate::deviations::Deviation;
use crate::world::World;

/// Far longer than any check takes; it only keeps a broken one from hanging.
const TIMEOUT: Duration = Duration::from_secs(40);

/// A named behaviour of AWS. It panics where it does not find it.
pub(crate) struct Check {
    /// With the crate's name in front.
    pub(crate) name: &'static str,
    pub(crate) run: for<'w> fn(&'w World) -> Pin<Box<dyn Future<Output = ()> + 'w>>,
}

impl Check {
    /// Module and function.
    pub(crate) fn short_name(&self) -> &'static str {
        self.name.split_once("::").map_or(self.name, |(_, name)| name)
    }

    /// Expects the behaviour; or, where the world is known to deviate, that it still does.
    pub(crate) fn hold_against(&self, world: impl FnOnce() -> World, deviation: Option<&Deviation>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let attempt = || {
            runtime.block_on(async {
                let world = world();
                tokio::time::timeout(TIMEOUT, (self.run)(&world)).await.expect("it hangs");
            });
        };
        let Some(deviation) = deviation else { return attempt() };
        let Err(panic) = quietly(attempt) else {
            panic!("it no longer deviates; take this from the list: {}", deviation.what);
        };
        if !message(panic.as_ref()).contains(deviation.seen_as) {
            eprintln!("this is not the known deviation ({}): {}", deviation.what, message(panic.as_ref()));
            resume_unwind(panic);
        }
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs what is expected to panic without showing the panic.
fn quietly(attempt: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                shown(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(attempt));
    QUIET.set(false);
    outcome
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}
