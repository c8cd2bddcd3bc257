//! From an event to an SMS, and what becomes of it when the provider is in the way.

use local::fake_twilio::Script;
use serde_json::{Value, json};
use shared::{Clock, TriggerSource};

use crate::mapping::Named;
use crate::world::{PHONE, World, accept, accept_traced};

/// As X-Ray writes it, with a member that nobody knows.
const TRACE: &str = "Root=1-65250495-30b227ef4ea882e709192510;Parent=6b522ce06cfce549;Sampled=0;Lineage=926e4e43:0";

/// The texts of each trigger source's SMS for the code 739214 (or the password Vo<7&maple).
const TEXTS: [(TriggerSource, &str); 9] = [
    (TriggerSource::SignUp, "Your Example sign-up code is 739214. Do not share it."),
    (TriggerSource::ResendCode, "Your Example sign-up code is 739214. Do not share it."),
    (TriggerSource::ForgotPassword, "Your Example password reset code is 739214. Do not share it."),
    (TriggerSource::UpdateUserAttribute, "Your Example verification code is 739214. Do not share it."),
    (TriggerSource::VerifyUserAttribute, "Your Example verification code is 739214. Do not share it."),
    (TriggerSource::Authentication, "Your Example sign-in code is 739214. Do not share it."),
    (TriggerSource::AdminCreateUser, "Your Example account is ready. Your temporary password is Vo<7&maple"),
    (
        TriggerSource::AccountTakeOverNotification,
        "Unusual sign-in to your Example account from Pixel 9 on Friday, March 19, 2027 02:25 PM UTC. \
         If this was not you, change your password.",
    ),
    (TriggerSource::Other, "Your Example code is 739214. Do not share it."),
];

#[tokio::test]
async fn an_event_of_every_trigger_source_arrives_as_an_sms() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    for (source, text) in TEXTS {
        let clear = match source {
            TriggerSource::AccountTakeOverNotification => None,
            TriggerSource::AdminCreateUser => Some("Vo&lt;7&amp;maple"),
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Authentication
            | TriggerSource::Other => Some("739214"),
        };
        let sealed = clear.map(|clear| world.pool.seal(clear).expect("KMS is well"));
        accept(&producer, &world.pool.event(source, PHONE, sealed.as_deref())).await;
        let round = world.round(&worker).await;
        assert_eq!((round.messages.len(), round.names()), (1, Named::None), "{source}");
        let sms = world.phone().await;
        assert_eq!((sms.to.as_str(), sms.body.as_str()), (PHONE, text), "{source}");
    }
    assert_eq!((world.queued(), world.dead_lettered(), world.twilio.requests()), (0, 0, TEXTS.len()));
}

#[tokio::test]
async fn between_the_programs_the_code_is_as_sealed_as_it_came() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    let event = world.sign_up("739214");
    accept_traced(&producer, &event, TRACE).await;
    let round = world.round(&worker).await;

    let message = &round.messages[0];
    let body = message.body().expect("a body");
    let sealed = event["request"]["code"].as_str().expect("a code");
    assert!(body.contains(sealed) && !body.contains("739214"), "{body}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["type"], "sms.v1");
    let kept = body["event"]["request"]["userAttributes"].as_object().expect("an object");
    let kept: Vec<_> = kept.keys().map(String::as_str).collect();
    assert_eq!(kept, ["cognito:user_status", "phone_number", "phone_number_verified", "sub"]);
    assert_eq!((&body["event"]["userName"], &body["event"]["request"]["clientMetadata"]), (&Value::Null, &Value::Null));

    let attribute = |name| message.message_attributes()?.get(name)?.string_value();
    assert_eq!(attribute("trigger_source"), Some("SignUp"));
    assert_eq!(attribute("user_pool_id"), Some(world.pool.id.as_str()));
    let system = message.attributes().expect("asked for");
    assert_eq!(system.get(&"AWSTraceHeader".into()).map(String::as_str), Some(TRACE));
    assert_eq!(world.phone().await.body, "Your Example sign-up code is 739214. Do not share it.");
}

#[tokio::test]
async fn an_unavailable_provider_is_asked_again_later() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    for _attempt_of_the_first_invocation in 0..3 {
        world.provider_refuses(503, 20503, "");
    }
    accept(&producer, &world.sign_up("739214")).await;
    let round = world.round(&worker).await;
    assert_eq!((round.names(), world.twilio.requests(), world.twilio.messages()), (Named::All, 3, 0));
    // 30 s by the receive, 1 or 2 s by the worker.
    let invisible = world.invisible_for().expect("the message is in the queue and invisible");
    assert!(invisible.as_secs() <= 2, "{invisible:?}");

    // The next round waits for it.
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert_eq!(world.phone().await.body, "Your Example sign-up code is 739214. Do not share it.");
    assert_eq!((world.queued(), world.dead_lettered(), world.twilio.requests()), (0, 0, 4));
}

#[tokio::test]
async fn a_rejected_recipient_is_dead_lettered_without_the_number() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    world.provider_refuses(400, 21211, &format!("Invalid 'To' Phone Number: {PHONE}"));
    accept_traced(&producer, &world.sign_up("739214"), TRACE).await;
    let round = world.round(&worker).await;
    assert_eq!((round.names(), world.queued()), (Named::None, 0));

    let letter = world.dead_letter().await;
    assert_eq!(letter.trace.as_deref(), Some(TRACE));
    assert_eq!(Some(letter.body.as_str()), round.messages[0].body());
    let names: Vec<_> = letter.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["attempts", "detail", "failed_at", "provider", "reason"]);
    assert_eq!(letter.reason(), "recipient_rejected");
    assert_eq!(letter.attribute("detail"), "twilio-test: 21211");
    assert_eq!((letter.attribute("provider"), letter.attribute("attempts")), ("twilio-test", "1"));
    let failed_at: shared::Timestamp = letter.attribute("failed_at").parse().expect("RFC 3339");
    assert!(Clock::system().now().duration_since(failed_at).as_secs() < 60, "{failed_at}");
    assert!(!format!("{:?}", letter.attributes).contains("2065550100"));
    assert_eq!((world.twilio.requests(), world.twilio.messages()), (1, 0));
}

#[tokio::test]
async fn an_sms_that_may_have_been_sent_is_sent_once_more_and_no_oftener() {
    let world = World::new().await;
    let (producer, worker) = (world.producer().await, world.worker().await);
    world.twilio.script(Script::ResetAfterRead);
    world.twilio.script(Script::ResetAfterRead);
    accept(&producer, &world.sign_up("739214")).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    let letter = world.dead_letter().await;
    assert_eq!((letter.reason(), letter.attribute("attempts")), ("outcome_unknown", "2"));
    assert_eq!((world.twilio.requests(), world.queued()), (2, 0));

    world.twilio.script(Script::ResetAfterRead);
    accept(&producer, &world.sign_up("825461")).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert_eq!((world.twilio.requests(), world.queued(), world.dead_lettered()), (4, 0, 1));
}

#[tokio::test]
async fn an_old_producers_message_with_members_of_a_later_version_is_delivered() {
    let world = World::new().await;
    let worker = world.worker().await;
    let mut body = world.body(world.sign_up("739214"));
    body["added_later"] = json!({ "a": [1, null] });
    world.forge(&body.to_string()).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert_eq!(world.phone().await.to, PHONE);
}
