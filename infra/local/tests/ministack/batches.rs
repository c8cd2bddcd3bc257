//! Batches whose records end differently.

use local::fake_twilio::Script;

use crate::world::{World, attribute};

const PHONES: [&str; 2] = ["+12065550100", "+61491570156"];
const FRENCH_PHONE: &str = "+33639980001";
/// The attempts of one invocation.
const ATTEMPTS: usize = 3;

pub(crate) async fn each_record_has_its_own_end(world: World) {
    world.deploy_producer().await;
    for _ in 0..ATTEMPTS {
        let body = r#"{"code":20503,"message":"Service unavailable","status":503}"#.to_owned();
        world.french_phones.script(Script::Answer { status: 503, headers: Vec::new(), body });
    }
    // All of them are there before the worker is, so that they are one batch.
    for (phone, code) in PHONES.into_iter().zip(["7392140658", "8254610379"]) {
        world.accept(&world.sign_up(phone, code).await).await;
    }
    world.accept(&world.sign_up(FRENCH_PHONE, "4637281095").await).await;
    let malformed = "{\"type\":\"sms.v1\",\"id\":\"\"}";
    world.sqs.send_message().queue_url(&world.queue_url).message_body(malformed).send().await.unwrap();
    world.deploy_worker().await;

    let mut arrived = [world.phone().await, world.phone().await].map(|sms| (sms.to, sms.body));
    arrived.sort();
    let text = |code: &str| format!("Your Example sign-up code is {code}. Do not share it.");
    let expected = [(PHONES[0].to_owned(), text("7392140658")), (PHONES[1].to_owned(), text("8254610379"))];
    assert_eq!(arrived, expected);
    let letters = world.dead_letters().await;
    assert_eq!((letters.len(), attribute(&letters[0], "reason")), (1, "malformed"));
    assert_eq!(letters[0].body.as_deref(), Some(malformed));
    // What the provider did not take has stayed and comes back, alone: the others are gone from the queue.
    let sms = world.french_phone().await;
    assert_eq!((sms.to, sms.body), (FRENCH_PHONE.to_owned(), text("4637281095")));
    world.is_drained().await;
    assert_eq!((world.phones.requests(), world.french_phones.requests()), (2, ATTEMPTS + 1));
    assert_eq!(world.messages(&world.dead_letter_queue_url).await, 1);
    world.shows_nothing_of(&["7392140658", "8254610379", "4637281095"]);
}

pub(crate) async fn a_backlog_is_delivered(world: World) {
    const MESSAGES: usize = 60;
    world.deploy_producer().await;
    let code = |number: usize| format!("{:06}", 500_000 + number);
    for number in 0..MESSAGES {
        let mut event = world.sign_up(PHONES[number % 2], &code(number)).await;
        // Of another user each, so that no code supersedes another.
        event["request"]["userAttributes"]["sub"] = format!("user-{number}").into();
        world.accept(&event).await;
    }
    world.deploy_worker().await;
    let mut arrived = Vec::new();
    for _ in 0..MESSAGES {
        let sms = world.phone().await.body;
        arrived.push(sms.split(' ').find(|word| word.starts_with('5')).unwrap()[..6].to_owned());
    }
    arrived.sort();
    assert_eq!(arrived, (0..MESSAGES).map(code).collect::<Vec<_>>());
    world.is_drained().await;
    assert_eq!((world.phones.messages(), world.messages(&world.dead_letter_queue_url).await), (MESSAGES, 0));
}
