//! KMS's answers as they come over the wire, and its silences, with the times and retries that the worker configures:
//! who can repair it decides what becomes of the message.

use std::net::TcpListener;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared::KeyArn;
use tokio::time::{Instant, advance};
use worker::{KeyError, KeyService as _, KmsKeys, WrappedDataKey, kms_config};

use crate::sealed::{KEY, POOL};
use crate::wire::{Answer, Service, sdk_config};

/// The whole of a call, retries included.
const BOUND: Duration = Duration::from_secs(5);
/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Pauses between attempts are drawn from zero to this, twice.
const LONGEST_BACKOFFS: Duration = Duration::from_millis(300);
/// What steps of the clock and the sockets add.
const LEEWAY: Duration = Duration::from_millis(150);

/// What came of one call.
struct Asked {
    outcome: Result<[u8; 32], KeyError>,
    requests: Vec<Value>,
    took: Duration,
}

fn wrapped() -> WrappedDataKey {
    WrappedDataKey {
        key: KeyArn::parse(KEY).expect("an ARN"),
        ciphertext: vec![0xED; 184],
        context: [("userpool-id".to_owned(), POOL.to_owned())].into(),
    }
}

/// Asks a KMS that gives these answers; the last one repeats.
async fn asked<const N: usize>(script: [Answer; N]) -> Asked {
    let service = Service::start("application/x-amz-json-1.1", script.into());
    let (outcome, took) = unwrapped(service.sdk_config()).await;
    Asked { outcome, requests: service.calls.try_iter().collect(), took }
}

async fn unwrapped(aws: aws_config::SdkConfig) -> (Result<[u8; 32], KeyError>, Duration) {
    let keys = KmsKeys::new(aws_sdk_kms::Client::from_conf(kms_config(&aws)));
    let began = Instant::now();
    let wrapped = wrapped();
    let outcome = tokio::select! {
        biased;
        outcome = keys.unwrap(&wrapped) => outcome,
        () = time_passes() => unreachable!("time never ends"),
    };
    (outcome.map(|key| *key.expose_secret()), began.elapsed())
}

/// Lets the paused clock go on by a millisecond with each turn of the runtime. Left to itself it would leap to the next
/// timer as soon as a socket is waited for.
async fn time_passes() {
    loop {
        std::thread::sleep(Duration::from_micros(50));
        advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
}

fn unwraps(key: &[u8]) -> Answer {
    let plaintext = STANDARD.encode(key);
    let body = json!({ "KeyId": KEY, "Plaintext": plaintext, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" });
    Answer::Says(200, body.to_string())
}

/// An error as KMS writes it; the text must never be shown.
fn refuses(status: u16, code: &str) -> Answer {
    let message = "User: arn:aws:iam::123456789012:user/mary is not authorized, or a number: +12065550100";
    Answer::Says(status, json!({ "__type": code, "message": message }).to_string())
}

fn unavailable(code: &str) -> Result<[u8; 32], KeyError> {
    Err(KeyError::Unavailable { code: code.to_owned() })
}

fn not_allowed(code: &str) -> Result<[u8; 32], KeyError> {
    Err(KeyError::NotAllowed { code: code.to_owned() })
}

fn invalid(code: &str) -> Result<[u8; 32], KeyError> {
    Err(KeyError::Invalid { code: code.to_owned() })
}

/// Asked three times in quick succession, and then given up.
async fn is_asked_three_times(answer: Answer, code: &str) {
    let asked = asked([answer]).await;
    assert_eq!(asked.outcome, unavailable(code));
    assert_eq!(asked.requests.len(), 3);
    assert!(asked.requests.iter().all(|request| *request == asked.requests[0]), "the same question each time");
    assert!(asked.took <= LONGEST_BACKOFFS + LEEWAY, "{:?}", asked.took);
}

/// Asked once: an answer that will not change.
async fn is_asked_once(answer: Answer, outcome: Result<[u8; 32], KeyError>) {
    let asked = asked([answer]).await;
    assert_eq!(asked.outcome, outcome);
    assert_eq!(asked.requests.len(), 1);
    assert!(asked.took <= LEEWAY, "{:?}", asked.took);
}

#[tokio::test(start_paused = true)]
async fn a_data_key_is_asked_for_by_key_ciphertext_and_context() {
    let asked = asked([unwraps(&[7; 32])]).await;
    assert_eq!(asked.outcome, Ok([7; 32]));
    assert_eq!(
        asked.requests,
        [json!({
            "action": "TrentService.Decrypt",
            "KeyId": KEY,
            "CiphertextBlob": STANDARD.encode([0xED; 184]),
            "EncryptionContext": { "userpool-id": POOL },
        })]
    );
}

#[tokio::test(start_paused = true)]
async fn throttling_may_pass() {
    is_asked_three_times(refuses(400, "ThrottlingException"), "ThrottlingException").await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_exceeded_may_pass() {
    is_asked_three_times(refuses(400, "LimitExceededException"), "LimitExceededException").await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_kms_may_pass() {
    is_asked_three_times(refuses(500, "KMSInternalException"), "KMSInternalException").await;
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_timed_out_may_pass() {
    is_asked_three_times(refuses(500, "DependencyTimeoutException"), "DependencyTimeoutException").await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_available_may_be_later() {
    is_asked_three_times(refuses(500, "KeyUnavailableException"), "KeyUnavailableException").await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_service_without_a_word_may_pass() {
    for status in [500, 502, 503, 504] {
        is_asked_three_times(Answer::Says(status, String::new()), "unknown_error").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_within_the_call_is_not_noticed() {
    let asked = asked([refuses(400, "ThrottlingException"), Answer::Reset, unwraps(&[7; 32])]).await;
    assert_eq!((asked.outcome, asked.requests.len()), (Ok([7; 32]), 3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_may_be_readable_later() {
    for body in ["<html>+12065550100</html>", "{", r#"{"KeyId":7}"#, r#"{"Plaintext":"to +12065550100"}"#] {
        is_asked_once(Answer::Says(200, body.to_owned()), unavailable("unknown_error")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_key_or_a_data_key_may_be_complete_later() {
    let (without_data_key, without_key) = (json!({ "KeyId": KEY }), json!({ "Plaintext": STANDARD.encode([7; 32]) }));
    for body in [String::new(), "{}".to_owned(), without_data_key.to_string(), without_key.to_string()] {
        is_asked_once(Answer::Says(200, body), unavailable("incomplete_answer")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_be_read_is_not_quoted() {
    for body in ["<html>+12065550100</html>", r#"{"__type":"to +12065550100"}"#, r#"{"__type":7}"#, "{}", ""] {
        is_asked_once(Answer::Says(403, body.to_owned()), unavailable("unknown_error")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_slow_once_is_asked_for_again() {
    for slow in [Answer::Nothing, Answer::Half(200)] {
        let asked = asked([slow, unwraps(&[7; 32])]).await;
        assert_eq!((asked.outcome, asked.requests.len()), (Ok([7; 32]), 2));
        assert!((ATTEMPT..=ATTEMPT + LONGEST_BACKOFFS + LEEWAY).contains(&asked.took), "{:?}", asked.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_given_up_in_time() {
    let asked = asked([Answer::Nothing]).await;
    assert_eq!((asked.outcome, asked.requests.len()), (unavailable("timeout"), 3));
    assert!((BOUND..=BOUND + LEEWAY).contains(&asked.took), "{:?}", asked.took);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_is_given_up_in_time() {
    for status in [200, 503] {
        let asked = asked([Answer::Half(status)]).await;
        assert_eq!((asked.outcome, asked.requests.len()), (unavailable("timeout"), 3));
        assert!((BOUND..=BOUND + LEEWAY).contains(&asked.took), "{:?}", asked.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_reset_may_hold_later() {
    is_asked_three_times(Answer::Reset, "unreachable").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_may_be_taken_later() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let (outcome, took) = unwrapped(sdk_config(&format!("http://{free}"))).await;
    assert_eq!(outcome, unavailable("unreachable"));
    assert!(took <= LONGEST_BACKOFFS + LEEWAY, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_needs_an_operator() {
    is_asked_once(refuses(400, "AccessDeniedException"), not_allowed("AccessDeniedException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_key_needs_an_operator() {
    is_asked_once(refuses(400, "DisabledException"), not_allowed("DisabledException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_to_be_deleted_needs_an_operator() {
    is_asked_once(refuses(400, "KMSInvalidStateException"), not_allowed("KMSInvalidStateException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_found_needs_an_operator() {
    is_asked_once(refuses(400, "NotFoundException"), not_allowed("NotFoundException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_ciphertext_or_context_never_opens() {
    is_asked_once(refuses(400, "InvalidCiphertextException"), invalid("InvalidCiphertextException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_data_key_of_another_key_never_opens() {
    is_asked_once(refuses(400, "IncorrectKeyException"), invalid("IncorrectKeyException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_for_something_else_never_opens() {
    is_asked_once(refuses(400, "InvalidKeyUsageException"), invalid("InvalidKeyUsageException")).await;
}

#[tokio::test(start_paused = true)]
async fn a_data_key_that_another_key_unwrapped_is_not_used() {
    let other = KEY.replace("8a23102c", "00000000");
    for key_id in [other.as_str(), "", "8a23102c-9b68-4fed-82ce-523c5363539e"] {
        let body = json!({ "KeyId": key_id, "Plaintext": STANDARD.encode([7; 32]) });
        is_asked_once(Answer::Says(200, body.to_string()), invalid("AnsweredWithAnotherKey")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_data_key_of_another_length_is_not_used() {
    for length in [0, 16, 31, 33, 64] {
        is_asked_once(unwraps(&vec![7; length]), invalid("DataKeyLength")).await;
    }
}
