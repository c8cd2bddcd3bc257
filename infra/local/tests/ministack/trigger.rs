//! The trigger invoked as Cognito invokes it.

use crate::deployment::PRODUCER;
use crate::world::World;

const PHONE: &str = "+12065550100";

pub(crate) async fn a_code_arrives(world: World) {
    world.deploy_producer().await;
    world.deploy_worker().await;
    let event = world.sign_up(PHONE, "7392140658").await;
    world.accept(&event).await;
    let sms = world.phone().await;
    assert_eq!(
        (sms.to.as_str(), sms.body.as_str()),
        (PHONE, "Your Example sign-up code is 7392140658. Do not share it.")
    );
    world.is_drained().await;
    assert_eq!((world.phones.requests(), world.messages(&world.dead_letter_queue_url).await), (1, 0));
    world.shows_nothing_of(&["7392140658"]);
}

pub(crate) async fn a_code_arrives_later(world: World) {
    world.deploy_producer().await;
    world.deploy_worker().await;
    let event = world.sign_up(PHONE, "7392140658").await;
    let invoked = world.lambda.invoke_later(PRODUCER, &event).await;
    assert_eq!((invoked.status, invoked.function_error), (202, None));
    let sms = world.phone().await;
    assert_eq!(
        (sms.to.as_str(), sms.body.as_str()),
        (PHONE, "Your Example sign-up code is 7392140658. Do not share it.")
    );
    world.is_drained().await;
    assert_eq!(world.phones.requests(), 1);
}

pub(crate) async fn a_foreign_event_is_refused(world: World) {
    world.deploy_producer().await;
    let mut event = world.sign_up(PHONE, "7392140658").await;
    event["triggerSource"] = "PreSignUp_SignUp".into();
    let invoked = world.lambda.invoke(PRODUCER, &event).await;
    assert_eq!((invoked.status, invoked.function_error.is_some()), (200, true), "{invoked:?}");
    assert_eq!(invoked.payload["errorType"], "ForeignTrigger");
    assert_eq!(world.messages(&world.queue_url).await, 0);
    // An error does not end the function.
    event["triggerSource"] = "CustomSMSSender_SignUp".into();
    world.accept(&event).await;
    assert_eq!(world.messages(&world.queue_url).await, 1);
}
