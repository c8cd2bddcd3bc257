//! The bugs, each a line or two of the worker's source as they should not be.

/// One bug.
pub(crate) struct Bug {
    /// The bug, as a test's name.
    pub(crate) name: &'static str,
    /// Below the workspace.
    pub(crate) file: &'static str,
    /// What stands there, exactly once.
    pub(crate) right: &'static str,
    /// What the bug makes of it.
    pub(crate) wrong: &'static str,
    /// The invariants of which one must be violated.
    pub(crate) seen_as: &'static [&'static str],
}

pub(crate) const BUGS: [Bug; 15] = [
    Bug {
        name: "an_answer_that_time_ran_out_for_names_no_failures",
        file: "worker/src/batch.rs",
        right: "vec![Settled::StaysInQueue; records.len()]",
        wrong: "vec![Settled::Done; records.len()]",
        seen_as: &["nothing_is_lost", "what_stays_in_the_queue_is_named_and_nothing_else"],
    },
    Bug {
        name: "a_record_whose_work_panicked_is_deleted",
        file: "worker/src/batch.rs",
        right: "(index, worker.conclude_panicked(&record).await)",
        wrong: "{ worker.conclude_panicked(&record).await; (index, Settled::Done) }",
        seen_as: &["nothing_is_lost"],
    },
    Bug {
        name: "a_dead_letter_that_the_queue_refused_counts_as_sent",
        file: "worker/src/worker.rs",
        right: "if self.dead_letter(record, named, reason, &detail, &trail).await {",
        wrong: "if self.dead_letter(record, named, reason, &detail, &trail).await || true {",
        seen_as: &["nothing_is_lost", "what_stays_in_the_queue_is_named_and_nothing_else"],
    },
    Bug {
        name: "a_service_deletes_what_it_has_postponed",
        file: "worker/src/service.rs",
        right: "if answer.batch_item_failures.is_empty() {",
        wrong: "if answer.batch_item_failures.len() < 2 {",
        seen_as: &["nothing_is_lost"],
    },
    Bug {
        name: "an_attempt_is_begun_after_the_code_has_expired",
        file: "worker/src/delivery.rs",
        right: "if life_left.is_zero() {",
        wrong: "if false {",
        seen_as: &["no_attempt_begins_after_the_codes_expiry"],
    },
    Bug {
        name: "the_verdict_is_taken_before_the_expiry_is_checked",
        file: "worker/src/admission.rs",
        right: "if now >= message.expires_at {",
        wrong: "if false {",
        seen_as: &["every_dead_letter_has_its_true_reason", "no_attempt_begins_after_the_codes_expiry"],
    },
    Bug {
        name: "what_may_have_been_sent_is_tried_again_and_again",
        file: "worker/src/settlement.rs",
        right: "const MOST_UNKNOWNS: u32 = 2;",
        wrong: "const MOST_UNKNOWNS: u32 = u32::MAX;",
        seen_as: &["no_second_sms_without_a_cause"],
    },
    Bug {
        name: "what_comes_back_after_two_unknown_outcomes_is_tried_again",
        file: "worker/src/settlement.rs",
        right: "(unknowns >= MOST_UNKNOWNS).then_some(",
        wrong: "(unknowns == u32::MAX).then_some(",
        seen_as: &["no_second_sms_without_a_cause"],
    },
    Bug {
        name: "a_provider_that_panicked_is_taken_not_to_have_sent",
        file: "worker/src/delivery.rs",
        right: "Ok(Err(_panic)) => Attempt::failed(Outcome::Unknown, \"panic\"),",
        wrong: "Ok(Err(_panic)) => Attempt::failed(Outcome::Transient { retry_after: None }, \"panic\"),",
        seen_as: &["no_second_sms_without_a_cause"],
    },
    Bug {
        name: "a_fraud_defence_is_defeated_by_asking_the_next_provider",
        file: "worker/src/settlement.rs",
        right: "Outcome::FraudBlocked => Next::Never(DeadLetterReason::FraudBlocked),",
        wrong: "Outcome::FraudBlocked => Next::Onward,",
        seen_as: &["every_dead_letter_has_its_true_reason"],
    },
    Bug {
        name: "retries_know_no_end",
        file: "worker/src/settlement.rs",
        right: "let end = settings.end_of_retries(sent_at, expires_at);",
        wrong: "let end = { let _ = settings.end_of_retries(sent_at, expires_at); Timestamp::MAX };",
        seen_as: &["no_message_is_postponed_past_its_end"],
    },
    Bug {
        name: "a_key_that_kms_withheld_is_blamed_on_the_providers",
        file: "worker/src/settlement.rs",
        right: "Self::KeyUnavailable | Self::KeyNotAllowed => DeadLetterReason::KeyUnavailable,",
        wrong: "Self::KeyUnavailable | Self::KeyNotAllowed => DeadLetterReason::ProvidersExhausted,",
        seen_as: &["every_dead_letter_has_its_true_reason"],
    },
    Bug {
        name: "a_circuit_never_opens",
        file: "worker/src/circuit_breaker.rs",
        right: "const FAILURES_THAT_OPEN: u32 = 5;",
        wrong: "const FAILURES_THAT_OPEN: u32 = u32::MAX;",
        seen_as: &["attempts_are_bounded_during_an_outage"],
    },
    Bug {
        name: "a_probe_that_was_cut_off_keeps_the_circuit_half_open_for_ever",
        file: "worker/src/gate.rs",
        right: "self.gate.circuit().abandon(&pass);",
        wrong: "drop(pass);",
        seen_as: &["what_can_be_delivered_after_the_faults_is_delivered", "every_message_is_settled_in_the_end"],
    },
    Bug {
        name: "a_message_at_its_last_receive_is_refused_by_an_open_circuit",
        file: "worker/src/retry/visibility.rs",
        right: "end.duration_since(now) < SignedDuration::from_secs(2)",
        wrong: "end.duration_since(now) < SignedDuration::from_secs(-1_000_000)",
        seen_as: &["what_can_be_delivered_after_the_faults_is_delivered"],
    },
];
