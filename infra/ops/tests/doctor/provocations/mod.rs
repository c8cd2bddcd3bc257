//! Each thing that the doctor can find, brought about, and how it goes away again.

mod configuration;
mod kept;
mod key;
mod mapping;
mod pool;
mod producer;
mod queue;
mod worker;

use crate::world::World;

/// One way to make something wrong.
pub(crate) struct Provocation {
    pub(crate) check: &'static str,
    pub(crate) verdict: &'static str,
    /// A part of what is found.
    pub(crate) found: &'static str,
    pub(crate) provoke: fn(&World),
    pub(crate) remedy: Remedied,
}

/// How its remedy is applied.
pub(crate) enum Remedied {
    /// The command that was printed, as it is.
    Command,
    /// That command, and what MiniStack does not do upon it.
    CommandAnd(fn(&World)),
    /// What the sentence says, by hand: no single command does it.
    Hand(fn(&World)),
}

/// By step, in the order in which the doctor reports.
pub(crate) const STEPS: [(&str, &[Provocation]); 9] = [
    ("the_stack", &STACK),
    ("the_user_pool", &pool::POOL),
    ("the_key", &key::KEY),
    ("the_producer", &producer::PRODUCER),
    ("the_queue", &queue::QUEUE),
    ("the_mapping", &mapping::MAPPING),
    ("the_worker", &worker::WORKER),
    ("what_is_kept", &kept::KEPT),
    ("the_configuration", &configuration::CONFIGURATION),
];

const fn provocation(
    check: &'static str,
    verdict: &'static str,
    found: &'static str,
    provoke: fn(&World),
    remedy: Remedied,
) -> Provocation {
    Provocation { check, verdict, found, provoke, remedy }
}

/// The cause ends, which no command of ours brings about.
const AS_MINISTACK: Remedied = Remedied::Hand(|world| world.proxy.set(&[]));

const STACK: [Provocation; 2] = [
    provocation(
        "stack",
        "wrong",
        "UPDATE_ROLLBACK_FAILED",
        |world| world.stack_is("UPDATE_ROLLBACK_FAILED"),
        AS_MINISTACK,
    ),
    provocation("stack", "warning", "UPDATE_IN_PROGRESS", |world| world.stack_is("UPDATE_IN_PROGRESS"), AS_MINISTACK),
];
