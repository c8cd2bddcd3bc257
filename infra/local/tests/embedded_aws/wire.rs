use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use async_trait::async_trait;
use local::aws::{Answer, Caller, Service};

use super::*;

/// Sends bytes and reads all that comes back until the server closes the connection.
async fn exchange(aws: &Aws, request: Vec<u8>) -> String {
    let address = aws.embedded.endpoint().strip_prefix("http://").unwrap().to_owned();
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

fn post(target: &str, version: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: {target}\r\n\
         Content-Type: application/x-amz-json-{version}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn an_unknown_target_is_an_unknown_operation_in_the_json_version_of_the_request() {
    let aws = Aws::start();
    for target in ["AmazonSQS.Fly", "TrentService.Fly", "secretsmanager.Fly", "AmazonSNS.Publish", "", "AmazonSQS"] {
        for version in ["1.0", "1.1"] {
            let answer = exchange(&aws, post(target, version, "{}")).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
            assert!(answer.contains("UnknownOperationException"), "{answer}");
            assert!(answer.contains(&format!("application/x-amz-json-{version}")), "{answer}");
        }
    }
    let answer = exchange(&aws, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec()).await;
    assert!(answer.contains("UnknownOperationException"), "{answer}");
}

#[tokio::test]
async fn the_sdk_reports_an_operation_that_is_missing() {
    let aws = Aws::start();
    let answer = aws.sqs.start_message_move_task().source_arn("arn:aws:sqs:eu-west-1:123456789012:dlq").send().await;
    assert_eq!(code(answer), "UnknownOperationException");
}

#[tokio::test]
async fn a_request_that_is_too_long_or_not_json_gets_a_clear_answer_and_harms_nobody_else() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let answer = exchange(&aws, post("AmazonSQS.SendMessage", "1.0", &"x".repeat(2 * 1024 * 1024))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let longer = aws.sqs.send_message().queue_url(&url).message_body("x".repeat(3 * 1024 * 1024)).send().await;
    assert_eq!(code(longer), "RequestEntityTooLargeException");
    let answer = exchange(&aws, post("AmazonSQS.SendMessage", "1.0", "{\"QueueUrl\":")).await;
    assert!(answer.contains("SerializationException"), "{answer}");
    assert!(exchange(&aws, b"nonsense\r\n\r\n".to_vec()).await.starts_with("HTTP/1.1 400"));
    aws.send(&url, "x").await;
}

#[tokio::test]
async fn more_services_share_the_endpoint() {
    struct Echo;
    #[async_trait]
    impl Service for Echo {
        async fn call(&self, operation: &str, body: &[u8], caller: &Caller) -> Answer {
            Answer::ok(&(operation, body.len(), &caller.sender_id))
        }
    }
    let services = BTreeMap::from([("AmazonSSM".to_owned(), Arc::new(Echo) as Arc<dyn Service>)]);
    let aws = Aws::start_with(Settings { services, ..Settings::default() });
    let answer = exchange(&aws, post("AmazonSSM.GetParameter", "1.1", "{}")).await;
    assert!(answer.ends_with(r#"["GetParameter",2,"ANONYMOUS"]"#), "{answer}");
}

#[tokio::test]
async fn a_long_poll_at_a_queue_that_is_deleted_says_so() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let poll = tokio::time::timeout(PATIENCE, aws.receiving(&url).wait_time_seconds(20).send());
    let (answer, ()) = tokio::join!(poll, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        aws.sqs.delete_queue().queue_url(&url).send().await.unwrap();
    });
    assert_eq!(code(answer.expect("it hangs")), "AWS.SimpleQueueService.NonExistentQueue");
}

#[tokio::test]
async fn dropping_it_frees_the_port_and_ends_waiting_polls() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let (address, client) = (aws.embedded.endpoint(), aws.sqs.clone());
    let waiting =
        tokio::spawn(async move { client.receive_message().queue_url(url).wait_time_seconds(20).send().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(aws);
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("it hangs").unwrap();
    assert!(answer.is_err());
    let address = address.strip_prefix("http://").unwrap().parse().unwrap();
    let again = EmbeddedAws::start(address).unwrap();
    assert_eq!(again.endpoint(), format!("http://{address}"));
}

#[tokio::test]
async fn an_address_that_other_machines_can_reach_is_refused() {
    assert!(EmbeddedAws::start("0.0.0.0:0".parse().unwrap()).is_err());
}
