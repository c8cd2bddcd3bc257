//! Panics that nobody planned: wherever they end up, they are known. Planned ones pass the hook by.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// Of the history that this thread carries out.
    static NOTED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// What this thread does, and the panics in it.
pub(crate) fn noted<T>(act: impl FnOnce() -> T) -> (T, Vec<String>) {
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_noted = NOTED.with_borrow_mut(|noted| noted.as_mut().map(|noted| noted.push(panic.to_string())));
            if is_noted.is_none() {
                default(panic);
            }
        }));
    });
    NOTED.set(Some(Vec::new()));
    let acted = act();
    (acted, NOTED.take().unwrap_or_default())
}
