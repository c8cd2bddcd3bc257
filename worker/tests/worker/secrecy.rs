//! Nothing that the worker says holds a code, a text or a whole number.

use shared::DeadLetterReason;
use worker::{KeyError, OpenCode};

use crate::doubles::{KeyBehaviour, QueueBehaviour, code_in, faults_when_opening, never_opens, opens};
use crate::messages::{message, number, received, record, record_of_text, second, sent, sign_in, sqs_id, to};
use crate::provider_double::{Behaviour, ScriptedProvider, accepts, every_behaviour};
use crate::scene::Scene;
use crate::sealed::Seal;

const MESSAGES: u32 = 7;

/// Everything that comes out of a worker about seven messages, sound ones and others, while both providers
/// behave like this.
async fn said_about(behaviour: Behaviour, open: OpenCode, key_fails: bool, queue: QueueBehaviour) -> String {
    let mut scene = Scene::of(["first", "second"].map(|name| ScriptedProvider::named(name, [behaviour.clone()])));
    scene.change(|worker| worker.open = open);
    if key_fails {
        scene.keys.become_like(KeyBehaviour::Fails(KeyError::Unavailable { code: "timeout".to_owned() }));
    }
    scene.queue.dead_lettering_becomes(queue);
    scene.queue.postponing_becomes(queue);
    let refused = to("+447700900123", sign_in(3));
    let records = [
        record(0, &sign_in(0)),
        record(1, &message(1, "AdminCreateUser")),
        sent(second(-100_000), received(100, record(2, &sign_in(2)))),
        record(3, &refused),
        record_of_text(4, &sign_in(4).to_string().replace("sms.v1", "sms.v9")),
        record_of_text(5, &sign_in(5).to_string().replace("\"request\"", "\"requests\"")),
        record_of_text(6, &sign_in(6).to_string()[..400]),
    ];
    let stays = scene.receive(&records).await;
    // A dead letter's body is the sealed message itself; everything about it is said in clear.
    let letters = scene.queue.letters().into_iter().map(|letter| format!("{:?} {}\n", letter.provider, letter.detail));
    scene.facts.shown() + &letters.collect::<String>() + &stays.join(" ")
}

#[tokio::test(start_paused = true)]
async fn neither_code_nor_text_nor_number_is_ever_said() {
    let mut said = String::new();
    for behaviour in every_behaviour() {
        for queue in [QueueBehaviour::Works, QueueBehaviour::Refuses] {
            said += &said_about(behaviour.clone(), opens, false, queue).await;
        }
    }
    said += &said_about(accepts(), opens, true, QueueBehaviour::Works).await;
    said += &said_about(accepts(), never_opens, false, QueueBehaviour::Works).await;
    said += &said_about(accepts(), faults_when_opening, false, QueueBehaviour::Works).await;

    for kind in ["decrypted", "attempted", "delivered", "retried", "dead_lettered", "queue_call_failed"] {
        assert!(said.contains(&format!("\"event\":\"{kind}\"")), "{kind} never happened");
    }
    for reason in [
        DeadLetterReason::Malformed,
        DeadLetterReason::ProvidersExhausted,
        DeadLetterReason::RecipientRejected,
        DeadLetterReason::FraudBlocked,
        DeadLetterReason::OutcomeUnknown,
        DeadLetterReason::Undecryptable,
        DeadLetterReason::CountryNotAllowed,
        DeadLetterReason::WorkerFault,
        DeadLetterReason::KeyUnavailable,
    ] {
        assert!(said.contains(&format!("\"reason\":\"{reason}\"")), "{reason} never happened");
    }
    assert!(said.contains(&sqs_id(6)), "records without a readable id are named by SQS's");
    for n in 0..MESSAGES {
        let seal = Seal::nth(n);
        let code = code_in(&seal.id());
        for secret in [&code, &number(n), &number(n)[1..], &seal.to_base64()[..16], &format!("user-{n}")] {
            assert!(!said.contains(secret), "{secret} was said");
        }
    }
    for secret in ["7700900123", "Do not share it", "temporary password", "filler"] {
        assert!(!said.contains(secret), "{secret} was said");
    }
}

#[test]
fn the_codes_of_these_tests_could_be_found_if_they_were_said() {
    for n in 0..MESSAGES {
        let id = Seal::nth(n).id();
        let code = code_in(&id);
        assert!(code.len() == 6 && !id.contains(&code) && !sqs_id(n).contains(&code), "{code}");
    }
}
