//! Several worker processes and one table.

use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use local::aws::DynamoDbFault;
use local::create_state_table;
use local::fake_twilio::Script;
use worker::{DynamoDbState, Switch, Switchboard as _, SwitchedOff};

use crate::mapping::Named;
use crate::world::{LONG, World};

const TABLE: &str = "sealpost-state";
const WITH_TABLE: [(&str, &str); 1] = [("STATE_TABLE", TABLE)];

impl World {
    /// Makes the table; the operators' view of it.
    async fn state_table(&self) -> DynamoDbState {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(self.aws.endpoint())
            .credentials_provider(Credentials::new("AROATESTOPERATOR", "secret", None, None, "test"));
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        create_state_table(&client, TABLE).await.expect("the name is free");
        DynamoDbState::new(client, TABLE.to_owned())
    }
}

#[tokio::test]
async fn what_one_process_has_sent_no_other_sends() {
    let world = World::new().await;
    world.state_table().await;
    let (first, second) = (world.worker_with(&WITH_TABLE).await, world.worker_with(&WITH_TABLE).await);
    let body = world.body(world.sign_up("739214")).to_string();
    for worker in [&first, &second, &first] {
        world.forge(&body).await;
        assert_eq!(world.round(worker).await.names(), Named::None);
    }
    assert_eq!((world.twilio.messages(), world.queued(), world.dead_lettered()), (1, 0, 0));
}

#[tokio::test]
async fn what_one_process_is_sending_another_leaves_in_the_queue() {
    let world = World::new().await;
    world.state_table().await;
    let (first, second) = (world.worker_with(&WITH_TABLE).await, world.worker_with(&WITH_TABLE).await);
    let body = world.body(world.sign_up("739214")).to_string();
    world.twilio.script(Script::Delay(Duration::from_secs(2), Box::new(Script::Accept)));
    world.forge(&body).await;
    let (sent, left) = tokio::join!(world.round(&first), async {
        world.until(|world| world.twilio.requests() == 1).await;
        world.forge(&body).await;
        world.round(&second).await
    });
    assert_eq!((sent.names(), left.names()), (Named::None, Named::All));
    world.pass_time(&left).await;
    assert_eq!(world.round(&second).await.names(), Named::None);
    assert_eq!((world.twilio.requests(), world.queued()), (1, 0));
}

#[tokio::test]
async fn a_switch_in_the_table_stops_every_process() {
    let world = World::new().await;
    let table = world.state_table().await;
    table.set(&Switch::Everything, Some(&SwitchedOff::default())).await.expect("DynamoDB is well");
    let worker = world.worker_with(&WITH_TABLE).await;
    world.forge(&world.body(world.sign_up("739214")).to_string()).await;
    let round = world.round(&worker).await;
    assert_eq!((round.names(), world.twilio.requests()), (Named::All, 0));

    table.set(&Switch::Everything, None).await.expect("DynamoDB is well");
    // A process that starts reads them anew.
    let worker = world.worker_with(&WITH_TABLE).await;
    world.pass_time(&round).await;
    assert_eq!((world.round(&worker).await.names(), world.twilio.messages()), (Named::None, 1));
}

#[tokio::test]
async fn a_table_that_does_not_answer_delays_no_start_and_stops_no_sms() {
    let world = World::new().await;
    world.state_table().await;
    world.aws.dynamodb().set_fault(Some(DynamoDbFault::Latency(LONG)));
    let worker = world.worker_with(&WITH_TABLE).await;
    world.forge(&world.body(world.sign_up("739214")).to_string()).await;
    assert_eq!(world.round(&worker).await.names(), Named::None);
    assert_eq!((world.twilio.messages(), world.queued()), (1, 0));
}
