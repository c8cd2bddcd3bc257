//! What to do when a message does not arrive. RUNBOOK.md says more.

use shared::DeadLetterReason;

/// The producer's error types, as README lists them.
const PRODUCER_ERRORS: [(&str, &str); 10] = [
    ("MalformedEvent", "the event is not what this version of the producer knows: deploy both of one version"),
    ("MalformedCode", "the code is not what this version of the producer knows: deploy both of one version"),
    ("NoCode", "the event has no code: another function than the producer may have been invoked"),
    ("NoPhoneNumber", "the event has no number: another function than the producer may have been invoked"),
    ("InvalidPhoneNumber", "give --to as E.164: a plus sign, the country's code, the number"),
    ("UntrustedCode", "the code was not sealed as Cognito seals: deploy producer and sealpost of one version"),
    ("ForeignTrigger", "the function is not the producer, or not of this version: see --function"),
    ("WrongUserPool", "a stack serves one pool: is --user-pool the one of this stack (parameter UserPoolId)?"),
    ("QueueUnavailable", "SQS did not take the message within 2.5 seconds: try again, and see AWS's health page"),
    (
        "QueueMisconfigured",
        "SQS refuses: QUEUE_URL, the role's right sqs:SendMessage, the queue's policy or its own key must be put right",
    ),
];

/// What to do about an error of the producer; nothing for errors that are not its own.
pub(super) fn of_producer_error(error_type: &str) -> Option<&'static str> {
    PRODUCER_ERRORS.iter().find(|(name, _)| *name == error_type).map(|(_, remedy)| *remedy)
}

/// What to do about a dead letter; nothing for a reason that this version does not know.
pub(super) fn of_dead_letter(reason: &str) -> Option<&'static str> {
    DeadLetterReason::parse(reason).map(of_reason)
}

fn of_reason(reason: DeadLetterReason) -> &'static str {
    match reason {
        DeadLetterReason::Malformed => "the worker cannot read what the producer wrote: deploy both of one version",
        DeadLetterReason::UntrustedSender => {
            "the producer's role is not in the worker's TRUSTED_SENDER_IDS: was it made anew?"
        }
        DeadLetterReason::WrongUserPool => "the pool is not in the worker's USER_POOL_IDS",
        DeadLetterReason::Undecryptable => "the worker does not know the key: add it to KMS_KEY_ARNS (SecondKeyArn)",
        DeadLetterReason::NoPhoneNumber => "the event has no number: deploy producer and worker of one version",
        DeadLetterReason::InvalidPhoneNumber => "no phone has such a number, or it takes no SMS: try another one",
        DeadLetterReason::CountryNotAllowed => {
            "[route.country] refuses this country, or a switch does (sealpost switch): change that, or try another number"
        }
        DeadLetterReason::RateLimited => "a limit in [limits] is reached: wait for the next window, or raise it",
        DeadLetterReason::FraudBlocked => "the provider's fraud defence refuses it: see the provider's console",
        DeadLetterReason::RecipientRejected => "the provider says that this number cannot be reached: try another one",
        DeadLetterReason::ProvidersExhausted => {
            "no provider took it for as long as it was worth it: see the attempts' codes and the provider's console"
        }
        DeadLetterReason::OutcomeUnknown => "two attempts may each have been sent: look at the phone",
        DeadLetterReason::RenderFailed => "the worker has no text for it: deploy producer and worker of one version",
        DeadLetterReason::KeyUnavailable => {
            "KMS did not unwrap the data key: the worker's right kms:Decrypt, the key's policy and its state"
        }
        DeadLetterReason::StateUnavailable => {
            "the state table did not answer: the worker's rights on it, and its state"
        }
        DeadLetterReason::WorkerFault => "the worker failed on it: its log says where, and this is to be reported",
        DeadLetterReason::Expired => "the code's life was over before the worker came to it: is the worker running?",
        DeadLetterReason::Superseded => "a newer code of the same user took its place: send it again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_remedy_for_each_error_that_readme_lists_and_for_no_other() {
        let readme = include_str!("../../../../README.md");
        let (_, table) = readme.split_once("| error type | meaning |\n|---|---|\n").expect("the table");
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let names = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
        let mut names: Vec<_> = names.map(|name| name.trim().trim_matches('`')).collect();
        names.sort_unstable();
        let mut known = PRODUCER_ERRORS.map(|(name, _)| name);
        known.sort_unstable();
        assert_eq!(names, known);
        assert_eq!(of_producer_error("Runtime.ExitError"), None);
    }
}
