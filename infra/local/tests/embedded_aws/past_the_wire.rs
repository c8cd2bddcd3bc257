use std::collections::BTreeMap;

use aws_sdk_kms::primitives::Blob;

use super::*;

#[tokio::test]
async fn a_message_put_in_past_the_wire_wakes_a_long_poll() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let (answer, ()) = tokio::join!(aws.receiving(&url).wait_time_seconds(20).send(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let sent = aws.embedded.sqs().with_account(|account, now| {
            account.send("codes", sqs::NewMessage::new("x"), "AROAX:operator", now).map(drop)
        });
        sent.unwrap();
    });
    let messages = answer.unwrap().messages.unwrap();
    assert_eq!(sender_id(&messages[0]), Some("AROAX:operator"));
}

#[tokio::test]
async fn the_sender_is_whoever_holds_the_access_key() {
    let aws = Aws::start();
    let url = aws.queue().await;
    let other = sqs_client(&aws.embedded, "AKIDPRODUCER");
    other.send_message().queue_url(&url).message_body("x").send().await.unwrap();
    let messages = aws.receiving(&url).send().await.unwrap().messages.unwrap();
    assert_eq!(sender_id(&messages[0]), Some("AKIDPRODUCER"));
}

#[tokio::test]
async fn what_is_wrapped_in_process_unwraps_over_the_wire() {
    let aws = Aws::start();
    let key = aws.kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let context = BTreeMap::from([("userpool-id".to_owned(), "eu-west-1_Ab".to_owned())]);
    let (plaintext, wrapped) = aws.embedded.kms().model().generate_data_key(&key, &context).unwrap();
    // As long as a data key that AWS wraps.
    assert_eq!((plaintext.len(), wrapped.len()), (32, 184));
    let request = aws
        .kms
        .decrypt()
        .ciphertext_blob(Blob::new(wrapped))
        .set_encryption_context(Some(context.into_iter().collect()));
    assert_eq!(request.send().await.unwrap().plaintext.unwrap().as_ref(), plaintext.as_slice());
}
