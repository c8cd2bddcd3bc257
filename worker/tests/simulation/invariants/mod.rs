//! What must hold in every history. Each invariant is a function that says what violates it.

mod answers;
mod claims;
mod endings;
mod holds;
mod limits;
mod newest;
mod once;
mod outages;
mod reasons;
mod sending;
mod switches;
mod tries;

pub(crate) use tries::Tries;

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
pub(crate) const INVARIANTS: [(&str, Check); 26] = named![
    endings::nothing_is_lost,
    endings::every_message_is_settled_in_the_end,
    endings::what_can_be_delivered_after_the_faults_is_delivered,
    sending::no_attempt_begins_after_the_codes_expiry,
    sending::no_second_sms_without_a_cause,
    sending::each_phone_gets_its_own_code,
    once::a_second_sms_comes_only_where_nobody_could_know_of_the_first,
    once::no_third_attempt_follows_two_that_may_have_been_sent,
    once::no_message_is_sent_twice_at_once,
    once::what_was_sent_is_no_dead_letter,
    claims::every_attempt_is_claimed,
    claims::a_message_has_one_holder,
    claims::a_lease_ends_before_the_message_comes_back,
    claims::nothing_is_written_before_it_is_so,
    claims::every_claim_is_given_back,
    claims::an_unknown_outcome_is_written_down_before_the_next_attempt,
    newest::no_attempt_of_an_older_code_begins_after_a_newer_one_was_recorded,
    newest::only_what_was_decrypted_is_recorded_as_newest,
    newest::what_is_superseded_has_a_newer_code,
    limits::a_message_is_counted_once,
    switches::nothing_is_sent_that_is_switched_off,
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
