//! Where a stand-in is known to differ from AWS. Each of these is tested too: once it is repaired, its test fails until
//! the line is gone.

use crate::check::Check;

pub(crate) struct Deviation {
    check: &'static str,
    /// What the check says when it meets it.
    pub(crate) seen_as: &'static str,
    pub(crate) what: &'static str,
}

const fn deviation(check: &'static str, seen_as: &'static str, what: &'static str) -> Deviation {
    Deviation { check, seen_as, what }
}

const EMBEDDED: &[Deviation] = &[deviation(
    "redrive::a_move_task_brings_dead_letters_back",
    "UnknownOperationException",
    "it has no StartMessageMoveTask",
)];

/// Of version 1.5.33.
const MINISTACK: &[Deviation] = &[
    deviation(
        "kms_ciphertexts::a_blob_that_is_empty_or_cut_short_is_an_invalid_ciphertext",
        "accepted",
        "a blob that lacks its end is decrypted to something",
    ),
    deviation(
        "kms_ciphertexts::a_tampered_blob_is_an_invalid_ciphertext",
        "accepted",
        "nothing protects a blob against changes",
    ),
    deviation(
        "kms_ciphertexts::a_key_that_did_not_encrypt_is_the_incorrect_key",
        "taken",
        "Decrypt does not look at KeyId",
    ),
    deviation("kms_ciphertexts::an_unknown_key_is_not_found", "taken", "Decrypt does not look at KeyId"),
    deviation(
        "kms_ciphertexts::a_key_of_another_region_or_account_is_not_found",
        "taken",
        "Decrypt does not look at KeyId",
    ),
    deviation(
        "kms_keys::a_key_that_awaits_its_deletion_cannot_be_enabled",
        "taken",
        "EnableKey ends the waiting for a deletion",
    ),
    deviation("kms_keys::keys_are_listed_in_pages", "left: true", "ListKeys says Truncated without a NextMarker"),
    deviation(
        "long_polls::a_cancelled_long_poll_does_not_swallow_the_next_message",
        "left: 0",
        "a long poll goes on, and takes messages, after its client has gone",
    ),
    deviation(
        "redrive::a_dead_letter_queue_knows_its_sources_by_url",
        "InvalidAction",
        "it has no ListDeadLetterSourceQueues",
    ),
    deviation("redrive::a_move_task_brings_dead_letters_back", "InvalidAction", "it has no StartMessageMoveTask"),
    deviation(
        "secrets::the_beginning_of_a_name_in_an_arn_is_no_name",
        "Ok(\"first\")",
        "an ARN stands for any secret whose ARN begins with it",
    ),
    deviation("secrets::a_name_that_no_secret_may_have_is_refused", "taken", "a secret may have any name"),
    deviation(
        "secrets::a_name_that_awaits_its_deletion_is_an_invalid_request",
        "ResourceExistsException",
        "a secret that awaits its deletion exists for CreateSecret like any other",
    ),
    deviation(
        "secrets::a_creation_may_be_repeated_with_its_token",
        "ResourceExistsException",
        "CreateSecret does not look at ClientRequestToken",
    ),
    deviation(
        "secrets::a_forced_deletion_of_what_is_missing_succeeds",
        "ResourceNotFoundException",
        "a forced deletion fails when there is no such secret",
    ),
    deviation(
        "secrets_versions::a_version_without_a_stage_is_still_got_by_its_id",
        "ResourceNotFoundException",
        "a version goes with its last staging label",
    ),
    deviation(
        "secrets_versions::a_version_is_got_by_id_and_stage_if_it_has_both",
        "taken",
        "GetSecretValue does not look at VersionStage beside VersionId",
    ),
    deviation(
        "secrets_versions::a_stage_that_is_put_again_leaves_its_version",
        "left: \"second\"",
        "PutSecretValue leaves a staging label also where it was",
    ),
    deviation("secrets_versions::current_is_not_taken_away", "taken", "AWSCURRENT may be taken away altogether"),
    deviation(
        "secrets_versions::a_put_may_be_repeated_with_its_token",
        "ResourceNotFoundException",
        "a repeated PutSecretValue loses AWSPREVIOUS",
    ),
    deviation(
        "secrets_versions::a_token_is_of_one_value",
        "taken",
        "PutSecretValue overwrites the version that has its ClientRequestToken as id",
    ),
    deviation("sqs_messages::a_delay_outside_its_range_is_refused", "taken", "any DelaySeconds is taken"),
    deviation("sqs_messages::an_empty_group_is_refused", "taken", "an empty MessageGroupId is taken"),
    deviation("sqs_queues::a_second_purge_has_to_wait", "taken", "PurgeQueue may be repeated at once"),
    deviation(
        "sqs_receiving::an_unknown_system_attribute_is_refused",
        "taken",
        "names of system attributes that there are not are overlooked",
    ),
    deviation("sqs_receiving::a_wait_outside_its_range_is_refused", "taken", "any WaitTimeSeconds is taken"),
    deviation(
        "sqs_receiving::a_visibility_timeout_outside_its_range_is_refused",
        "taken",
        "a receive takes any VisibilityTimeout",
    ),
    deviation(
        "sqs_receiving::visibility_cannot_be_changed_to_more_than_twelve_hours",
        "taken",
        "ChangeMessageVisibility takes any VisibilityTimeout",
    ),
    deviation(
        "sqs_receiving::a_message_that_is_not_in_flight_cannot_change_its_visibility",
        "taken",
        "ChangeMessageVisibility succeeds for a message that is not in flight",
    ),
    deviation(
        "sqs_receiving::deleting_takes_the_newest_handle",
        "ReceiptHandleIsInvalid",
        "DeleteMessage fails with an older receipt handle, instead of doing nothing",
    ),
    deviation(
        "sqs_receiving::deleting_succeeds_for_what_is_gone",
        "ReceiptHandleIsInvalid",
        "a second DeleteMessage fails",
    ),
];

pub(crate) fn of_embedded(check: &Check) -> Option<&'static Deviation> {
    EMBEDDED.iter().find(|deviation| deviation.check == check.short_name())
}

pub(crate) fn of_ministack(check: &Check) -> Option<&'static Deviation> {
    MINISTACK.iter().find(|deviation| deviation.check == check.short_name())
}

/// Panics over a deviation from a check that there is not.
pub(crate) fn are_of_checks<'c>(checks: impl Iterator<Item = &'c Check> + Clone) {
    for Deviation { check, .. } in EMBEDDED.iter().chain(MINISTACK) {
        assert!(checks.clone().any(|known| known.short_name() == *check), "there is no check {check}");
    }
}
