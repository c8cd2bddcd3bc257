//! Whole batches: what is named, what is deleted, and what SQS itself does in the end.

use std::time::Duration;

use local::aws::KmsFault;
use local::fake_twilio::Script;
use local::lambda::{Invocation, Outcome};

use crate::mapping::Named;
use crate::world::{LONG, World, accept};

#[tokio::test]
async fn a_poison_message_is_dead_lettered_and_the_rest_of_its_batch_delivered() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    accept(&producer, &world.sign_up("739214")).await;
    world.forge("this is no message of ours").await;
    accept(&producer, &world.sign_up("825461")).await;
    let round = world.round(&worker).await;
    assert_eq!((round.messages.len(), round.names(), world.queued()), (3, Named::None, 0));

    let mut texts = [world.phone().await.body, world.phone().await.body];
    texts.sort();
    assert!(texts[0].contains("739214") && texts[1].contains("825461"), "{texts:?}");
    let letter = world.dead_letter().await;
    assert_eq!((letter.reason(), letter.body.as_str()), ("malformed", "this is no message of ours"));
    assert_eq!(letter.attribute("provider"), "");
}

#[tokio::test]
async fn nothing_is_begun_when_the_deadline_is_near() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    for (n, code) in ["739214", "825461", "194837"].into_iter().enumerate() {
        accept(&producer, &world.sign_up_of(n, code)).await;
    }
    let round = world.round_within(&worker, Duration::from_secs(2)).await;
    assert_eq!((round.messages.len(), round.names(), world.twilio.requests()), (3, Named::All, 0));

    let mut delivered = 0;
    while delivered < 3 {
        let round = world.round(&worker).await;
        assert_eq!(round.names(), Named::None);
        delivered += round.messages.len();
    }
    assert_eq!((world.queued(), world.dead_lettered(), world.twilio.messages()), (0, 0, 3));
}

#[tokio::test]
async fn an_event_of_something_else_fails_the_invocation_and_deletes_nothing() {
    let world = World::new().await;
    let worker = world.worker().await;
    for payload in ["{}", "[]", "{\"Records\":[{\"messageId\":5}]}", "{\"Records\":[{\"body\":\"739214\"}]}"] {
        let outcome = worker.invoke(payload.as_bytes(), Invocation::within(LONG)).await;
        let Outcome::Failed { error_type, error_message } = outcome else { panic!("{payload}: {outcome:?}") };
        assert_eq!(error_type, "NotAnSqsEvent");
        assert!(error_message.contains("not that of an SQS event source mapping"), "{error_message}");
        assert!(!error_message.contains("739214"), "{error_message}");
    }
    let answer = worker.invoke(b"{\"Records\":[]}", Invocation::within(LONG)).await;
    assert_eq!(answer, Outcome::Answered(b"{\"batchItemFailures\":[]}".to_vec()));
}

#[tokio::test]
async fn sqs_itself_dead_letters_what_the_worker_only_ever_postpones() {
    let world = World::with_max_receive_count(3).await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    world.aws.kms().set_fault(Some(KmsFault::AccessDenied));
    accept(&producer, &world.sign_up("739214")).await;
    let mut body = None;
    for _receive in 0..3 {
        let round = world.round(&worker).await;
        assert_eq!((round.names(), world.queued(), world.dead_lettered()), (Named::All, 1, 0));
        body = round.messages[0].body.clone();
        world.pass_time(&round).await;
    }
    // The next receive finds it exhausted.
    let poll = world.sqs.receive_message().queue_url(&world.queue_url).send().await.expect("SQS is well");
    assert_eq!((poll.messages().len(), world.queued()), (0, 0));
    let letter = world.dead_letter().await;
    assert_eq!((Some(letter.body.as_str()), letter.reason()), (body.as_deref(), ""));
    assert_eq!(letter.attribute("trigger_source"), "SignUp", "the producer's attributes are kept");
    assert_eq!(world.twilio.requests(), 0);
}

#[tokio::test]
async fn a_message_whose_worker_is_killed_on_every_receive_ends_in_the_dead_letter_queue() {
    let world = World::with_max_receive_count(2).await;
    accept(&world.producer().await, &world.sign_up("739214")).await;
    for kills in 1..=2 {
        let worker = world.worker().await;
        world.twilio.script(Script::Delay(LONG, Box::new(Script::Accept)));
        let sending = async {
            while world.twilio.requests() < kills {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let kill_while_sending = async {
            tokio::time::timeout(LONG, sending).await.expect("the worker asks the provider");
            worker.kill().await;
        };
        let (round, ()) = tokio::join!(world.round(&worker), kill_while_sending);
        assert!(matches!(round.outcome, Outcome::Exited { code: None, .. }), "{:?}", round.outcome);
        assert_eq!((world.queued(), world.dead_lettered()), (1, 0), "a killed worker deletes nothing");
        world.pass_time(&round).await;
    }
    let poll = world.sqs.receive_message().queue_url(&world.queue_url).send().await.expect("SQS is well");
    assert_eq!((poll.messages().len(), world.queued(), world.dead_lettered()), (0, 0, 1));
}

#[tokio::test]
async fn a_message_whose_worker_was_killed_is_delivered_by_the_next_one() {
    let world = World::new().await;
    accept(&world.producer().await, &world.sign_up("739214")).await;
    let killed = world.worker().await;
    killed.kill().await;
    let round = world.round(&killed).await;
    assert_eq!(round.names(), Named::NoAnswer);
    world.pass_time(&round).await;
    assert_eq!(world.round(&world.worker().await).await.names(), Named::None);
    assert!(world.phone().await.body.contains("739214"));
}

#[tokio::test]
async fn a_dead_letter_queue_that_takes_nothing_keeps_the_message_in_the_main_queue() {
    let world = World::new().await;
    let missing = format!("{}-deleted", world.dead_letter_queue_url);
    let worker = world.worker_with(&[("DEAD_LETTER_QUEUE_URL", &missing)]).await;
    world.forge("this is no message of ours").await;
    let round = world.round(&worker).await;
    assert_eq!((round.names(), world.queued()), (Named::All, 1));
    world.pass_time(&round).await;

    assert_eq!(world.round(&world.worker().await).await.names(), Named::None);
    assert_eq!((world.dead_letter().await.reason(), world.queued()), ("malformed", 0));
}
