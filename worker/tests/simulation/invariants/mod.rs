//! What must hold in every history. Each invariant is a function that says what violates it.

mod answers;
mod endings;
mod holds;
mod outages;
mod reasons;
mod sending;

use crate::history::History;

/// One way in which a history is not as it must be.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// What violates an invariant, if anything does.
pub(crate) type Check = fn(&History) -> Result<(), String>;

macro_rules! named {
    ($($module:ident::$check:ident),* $(,)?) => { [$((stringify!($check), $module::$check as Check)),*] };
}

/// All of them, by name.
pub(crate) const INVARIANTS: [(&str, Check); 11] = named![
    endings::nothing_is_lost,
    endings::every_message_is_settled_in_the_end,
    endings::what_can_be_delivered_after_the_faults_is_delivered,
    sending::no_attempt_begins_after_the_codes_expiry,
    sending::no_second_sms_without_a_cause,
    sending::each_phone_gets_its_own_code,
    reasons::every_dead_letter_has_its_true_reason,
    reasons::no_message_is_postponed_past_its_end,
    outages::attempts_are_bounded_during_an_outage,
    answers::what_stays_in_the_queue_is_named_and_nothing_else,
    answers::processes_keep_to_their_time_and_no_panic_escapes,
];

/// The first violation in a history.
pub(crate) fn violated(history: &History) -> Option<Violation> {
    INVARIANTS.iter().find_map(|(invariant, check)| {
        let what = check(history).err()?;
        Some(Violation { invariant, what })
    })
}
