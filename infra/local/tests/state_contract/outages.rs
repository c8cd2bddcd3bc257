//! A table that cannot be reached, or does not answer as DynamoDB does. Every call ends soon, with a name for it.

use std::time::{Duration, Instant};

use local::aws::DynamoDbFault;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use worker::{
    DynamoDbState, LimitScope, State as _, StateError, Status, Switch, Switchboard as _, SwitchedOff, UserCode, Window,
};

use crate::check::Check;
use crate::subject::{Subject, claim, now, some_key, some_message, update};
use crate::table::state_at;

pub(crate) const CHECKS: &[Check] = checks! {
    every_error_of_dynamodb_has_its_name,
    what_dynamodb_has_refused_is_tried_again,
    an_answer_that_does_not_come_is_not_waited_for,
    a_message_whose_counting_is_not_answered_is_not_counted_again,
    a_table_that_does_not_exist_is_an_error,
    nobody_listening_is_an_error,
    what_is_not_dynamodb_is_an_error,
};

/// A call may take a second (`dynamodb_config`), a machine that is busy with other tests somewhat longer.
const LONGEST: Duration = Duration::from_secs(4);

/// The errors of one call of each kind. Each ends in time.
async fn errors(state: &DynamoDbState) -> Vec<StateError> {
    let claim = claim(&some_message(), now());
    let code = UserCode { key: some_key(), accepted_at: claim.now, expires_at: claim.now };
    let window = Window { scope: LimitScope::PerNumber, key: some_key(), limit: 1, ends_at: claim.now };
    let off = SwitchedOff { since: Some(claim.now), by: None, because: None };
    let begun = Instant::now();
    let updates = [update(&claim, Status::Retry, 1, 0), update(&claim, Status::Sent, 1, 0)];
    let (looked, claimed, updated, sent, newest, counted, switches, set) = tokio::join!(
        state.look(&claim.id, claim.now),
        state.claim(&claim),
        state.update(&updates[0]),
        state.update(&updates[1]),
        state.newest(&code, claim.now),
        state.count(&window, claim.now),
        state.switches(),
        state.set(&Switch::Everything, Some(&off)),
    );
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    let errors = [
        looked.err(),
        claimed.err(),
        updated.err(),
        sent.err(),
        newest.err(),
        counted.err(),
        switches.err(),
        set.err(),
    ];
    errors.into_iter().map(|error| error.expect("an error")).collect()
}

fn all(code: &str) -> Vec<StateError> {
    vec![StateError::of_code(code); 8]
}

async fn every_error_of_dynamodb_has_its_name(subject: &Subject) {
    let (state, _) = subject.table().impatient_state();
    let dynamodb = subject.table().embedded.as_ref().unwrap().dynamodb();
    for (fault, code) in [
        (DynamoDbFault::Throttled, "ProvisionedThroughputExceededException"),
        (DynamoDbFault::InternalError, "InternalServerError"),
        (DynamoDbFault::AccessDenied, "AccessDeniedException"),
    ] {
        dynamodb.set_fault(Some(fault));
        assert_eq!(errors(&state).await, all(code));
    }
    dynamodb.set_fault(None);
    assert_eq!(state.switches().await.map(|switches| switches.0.len()), Ok(0));
}

async fn what_dynamodb_has_refused_is_tried_again(subject: &Subject) {
    let (state, wire) = subject.table().impatient_state();
    let dynamodb = subject.table().embedded.as_ref().unwrap().dynamodb();
    let window = Window { scope: LimitScope::PerNumber, key: some_key(), limit: 1, ends_at: now() };
    let throttled = Err(StateError::of_code("ProvisionedThroughputExceededException"));
    dynamodb.set_fault(Some(DynamoDbFault::Throttled));
    assert_eq!(state.count(&window, now()).await, throttled);
    assert_eq!(wire.take_requests(), ["UpdateItem"; 3]);
    dynamodb.set_fault(Some(DynamoDbFault::AccessDenied));
    assert!(state.count(&window, now()).await.is_err());
    assert_eq!(wire.take_requests(), ["UpdateItem"], "it would be refused for ever");
}

async fn an_answer_that_does_not_come_is_not_waited_for(subject: &Subject) {
    let (state, wire) = subject.table().impatient_state();
    let dynamodb = subject.table().embedded.as_ref().unwrap().dynamodb();
    dynamodb.set_fault(Some(DynamoDbFault::Latency(Duration::from_secs(60))));
    assert_eq!(errors(&state).await, all("timeout"));
    assert!(wire.take_requests().len() > 8, "there is time for a second try, of all but the counting");
}

async fn a_message_whose_counting_is_not_answered_is_not_counted_again(subject: &Subject) {
    let (state, wire) = subject.table().impatient_state();
    let dynamodb = subject.table().embedded.as_ref().unwrap().dynamodb();
    dynamodb.set_fault(Some(DynamoDbFault::Latency(Duration::from_secs(60))));
    let window = Window { scope: LimitScope::PerNumber, key: some_key(), limit: 1, ends_at: now() };
    assert_eq!(state.count(&window, now()).await, Err(StateError::of_code("timeout")));
    assert_eq!(wire.take_requests(), ["UpdateItem"]);
}

async fn a_table_that_does_not_exist_is_an_error(subject: &Subject) {
    let state = state_at(&subject.table().embedded.as_ref().unwrap().endpoint());
    assert_eq!(errors(&state).await, all("ResourceNotFoundException"));
}

async fn nobody_listening_is_an_error(_: &Subject) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(errors(&state_at(&endpoint)).await, all("unreachable"));
}

async fn what_is_not_dynamodb_is_an_error(_: &Subject) {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>",
        "HTTP/1.1 302 Found\r\nlocation: https://example.com\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 6\r\n\r\n123456",
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 47\r\n\r\n{\"__type\":\"the code is 123456\",\"message\":\"no\"}  ",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        let shown = format!("{:?}", errors(&state_at(&endpoint)).await);
        assert!(!shown.contains("123456"), "{shown}");
        serving.abort();
    }
}
