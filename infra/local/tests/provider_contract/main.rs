//! What holds for every kind of SMS provider, over real HTTP: one list of checks, and the providers that pass it.
//! A new kind is one more subject.
#![allow(clippy::unwrap_used, reason = "a test's support may fail the test")]

mod contract;
mod fake_twilio;
mod gateway;
mod request;
mod subject;
mod subjects;

macro_rules! contract {
    ($($check:ident,)*) => {
        contract!(@of twilio $($check)*);
        contract!(@of infobip $($check)*);
        contract!(@of vonage $($check)*);
        contract!(@of africas_talking $($check)*);
        contract!(@of gateway_of_one_get $($check)*);
    };
    (@of $subject:ident $($check:ident)*) => {
        mod $subject {
            $(#[tokio::test]
            async fn $check() {
                crate::contract::$check(&crate::subjects::$subject()).await;
            })*
        }
    };
}

contract! {
    the_request_is_exactly_this_one,
    a_dry_run_shows_what_arrives,
    an_accepted_sms_has_the_providers_id,
    any_text_arrives_unchanged,
    every_answer_has_its_class,
    retry_after_is_passed_on_in_both_its_forms,
    a_redirect_is_not_followed,
    garbage_that_comes_as_a_success_is_unknown,
    an_answer_of_a_megabyte_is_not_read,
    an_answer_without_end_is_not_read,
    half_an_answer_is_unknown,
    nobody_listening_is_provably_not_sent,
    a_failed_tls_handshake_is_provably_not_sent,
    a_connection_that_never_stands_is_provably_not_sent,
    silence_after_the_request_is_unknown,
    the_shorter_of_the_two_limits_wins,
    a_slow_answer_within_the_limit_counts,
    a_reset_on_the_way_is_unknown_read_or_not,
    a_reset_of_a_connection_in_use_is_not_repeated_in_silence,
    one_connection_serves_many_messages,
}
