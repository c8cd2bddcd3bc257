use std::time::Instant;

use aws_sdk_kms::operation::decrypt::builders::DecryptFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use local::aws::{KmsFault, SecretsFault, SqsFault};
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn faults_of_sqs_come_and_go() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let send = || aws.sqs.send_message().queue_url(&url).message_body("x").send();
    aws.embedded.sqs().set_fault(Some(SqsFault::Unavailable));
    let error = send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 503);
    assert_eq!(error.code(), Some("ServiceUnavailable"));
    aws.embedded.sqs().set_fault(Some(SqsFault::Latency(Duration::from_millis(300))));
    let started = Instant::now();
    send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    aws.embedded.sqs().set_fault(None);
    send().await.unwrap();
    let all = aws.receiving(&url).max_number_of_messages(10).send().await.unwrap().messages.unwrap();
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn faults_of_kms_come_and_go() {
    let aws = Aws::start();
    let key = aws.kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let wrapped = aws.kms.encrypt().key_id(key).plaintext(Blob::new(*b"x")).send().await.unwrap();
    let decrypt = || -> DecryptFluentBuilder { aws.kms.decrypt().set_ciphertext_blob(wrapped.ciphertext_blob.clone()) };
    for (fault, expected, status) in [
        (KmsFault::Throttled, "ThrottlingException", 400),
        (KmsFault::InternalError, "KMSInternalException", 500),
        (KmsFault::AccessDenied, "AccessDeniedException", 400),
    ] {
        aws.embedded.kms().set_fault(Some(fault));
        let error = decrypt().send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.code(), Some(expected));
    }
    aws.embedded.kms().set_fault(Some(KmsFault::Latency(Duration::from_millis(300))));
    let started = Instant::now();
    decrypt().send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    aws.embedded.kms().set_fault(None);
    decrypt().send().await.unwrap();
}

#[tokio::test]
async fn faults_of_secrets_manager_come_and_go_and_their_requests_count() {
    let aws = Aws::start();
    aws.secrets.create_secret().name("twilio").secret_string("x").send().await.unwrap();
    let get = || aws.secrets.get_secret_value().secret_id("twilio").send();
    for (fault, expected, status) in [
        (SecretsFault::Unavailable, "ServiceUnavailable", 503),
        (SecretsFault::AccessDenied, "AccessDeniedException", 400),
    ] {
        aws.embedded.secrets().set_fault(Some(fault));
        let error = get().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(error.code(), Some(expected));
    }
    aws.embedded.secrets().set_fault(Some(SecretsFault::Latency(Duration::from_millis(300))));
    let started = Instant::now();
    get().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    aws.embedded.secrets().set_fault(None);
    get().await.unwrap();
    assert_eq!(aws.embedded.secrets().get_secret_value_requests(), 4);
}

#[tokio::test]
async fn over_the_limit_in_flight_short_polls_fail_and_long_polls_wait() {
    let sqs_limits = sqs::Limits { in_flight_per_queue: 1, ..sqs::Limits::default() };
    let aws = Aws::start_with(Settings { sqs_limits, ..Settings::default() });
    let url = aws.queue().await;
    aws.send(&url, "x").await;
    aws.send(&url, "y").await;
    let first = aws.receiving(&url).send().await.unwrap().messages.unwrap();
    let handle = first[0].receipt_handle.as_ref().unwrap();
    assert_eq!(code(aws.receiving(&url).send().await), "OverLimit");
    let (second, ()) = tokio::join!(timeout(PATIENCE, aws.receiving(&url).wait_time_seconds(20).send()), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        aws.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    });
    let second = second.expect("it hangs").unwrap().messages.unwrap();
    assert_eq!(second[0].body.as_deref(), Some("y"));
}
