//! `sealpost send`, by who has the send role, through the deployed stack.

use std::process::{Command, Stdio};

use local::fake_twilio::NO_MOBILE;
use witnesses::test_binaries;

use crate::cloud::REGION;
use crate::rights::{Policy, key_without};
use crate::world::{PHONE, World};

/// What the command printed and answered.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn assert_told(&self, code: i32, parts: &[&str]) {
        let Self { out, err, .. } = self;
        assert_eq!(self.code, Some(code), "{out}{err}");
        for part in parts {
            assert!(out.contains(part) || err.contains(part), "{part}: {out}{err}");
        }
        assert!(!out.contains("65550100") && !err.contains("65550100"), "{out}{err}");
    }
}

/// Sends a sign-up code, in a session of the send role.
async fn send(world: &World, arguments: &[&str]) -> Said {
    let mut command = Command::new(test_binaries().join("sealpost"));
    command.env_clear().args(["send", "--stack", world.stack.name(), "--user-pool", world.pool.as_str(), "--yes"]);
    command.args(["--role-arn", world.output("SendRoleArn"), "--region", REGION]).args(arguments);
    command.env("AWS_ENDPOINT_URL", world.cloud.ministack.endpoint());
    command.env("AWS_ACCESS_KEY_ID", &world.cloud.account).env("AWS_SECRET_ACCESS_KEY", "test");
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) async fn the_code_is_on_the_phone(world: World) {
    let said = send(&world, &["--to", PHONE]).await;
    said.assert_told(
        0,
        &[
            "producer  accepted in ",
            "worker    unsealed with KMS in ",
            "worker    twilio-main answered in ",
            "worker    delivered: twilio-main took it as SM",
            "delivered: the phone +1…00 must show ",
        ],
    );
    let (_, shown) = said.out.trim_end().rsplit_once(' ').unwrap();
    let sms = world.phones.next_message().await;
    assert_eq!((sms.to.as_str(), sms.body.contains(&format!(" code is {shown}. "))), (PHONE, true), "{}", sms.body);
    // Of a message without code the producer's log tells the id.
    let said = send(&world, &["--to", PHONE, "--source", "AccountTakeOverNotification"]).await;
    said.assert_told(0, &["producer  accepted in ", "delivered: the phone +1…00 must show a notice"]);
    assert!(world.phones.next_message().await.body.starts_with("Unusual sign-in"));
}

pub(crate) async fn a_refused_number_is_a_dead_letter_with_its_reason(world: World) {
    let said = send(&world, &["--to", NO_MOBILE]).await;
    said.assert_told(
        1,
        &[
            "twilio-main answered in ",
            ": recipient_permanent (21614)\n",
            "dead letter recipient_rejected: the provider says that this number cannot be reached",
            &format!("sealpost dlq --stack {} show ", world.stack.name()),
        ],
    );
    assert_eq!(world.messages("DeadLetterQueueUrl").await, 1);
}

pub(crate) async fn an_outage_is_told_of_for_as_long_as_it_is_waited_for(world: World) {
    world.phones.set_outage(true);
    let said = send(&world, &["--to", PHONE, "--wait", "8s"]).await;
    said.assert_told(
        1,
        &[
            "twilio-main answered in ",
            ": transient (20503)\n",
            "receive 1, postponed until ",
            "not at its end within 8s: it waits in the queue until ",
            "look later, in CloudWatch Logs Insights",
        ],
    );
    world.phones.set_outage(false);
    let (code, _) = said.out.split_once(": ").unwrap().1.split_once(", sealed as ").unwrap();
    assert!(world.phones.next_message().await.body.contains(code), "it arrives when the outage is over");
}

pub(crate) async fn a_right_that_is_missing_is_named_and_nothing_is_sent(world: World) {
    let policy = Policy::of(&world, "SendRole", "sends");
    for (sid, right) in [
        ("ReadsTheOutputs", "cloudformation:DescribeStacks"),
        ("ReadsWhatBecameOfIt", "the right logs:FilterLogEvents on log group "),
        ("InvokesTheTrigger", "the right lambda:InvokeFunction on arn:aws:lambda:"),
    ] {
        policy.without(sid);
        send(&world, &["--to", PHONE]).await.assert_told(1, &[right]);
    }
    policy.give_back();
    let given_back = key_without(&world, "SendRoleSeals");
    send(&world, &["--to", PHONE]).await.assert_told(1, &["the right kms:GenerateDataKey on arn:aws:kms:"]);
    given_back();
    assert_eq!((world.messages("QueueUrl").await, world.phones.requests()), (0, 0));
    send(&world, &["--to", PHONE]).await.assert_told(0, &["delivered: the phone +1…00 must show "]);
}
