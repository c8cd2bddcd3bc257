//! The worker without Lambda: a process that receives by itself, and ends as it is told.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use local::fake_twilio::Script;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::binaries::binaries;
use crate::world::{LONG, PHONE, World};

/// A worker process that serves the queue of a world.
struct Service {
    pid: u32,
    output: JoinHandle<Output>,
}

impl Service {
    fn start(world: &World, changes: &[(&str, &str)]) -> Self {
        let mut command = Command::new(&binaries().worker);
        command.env_clear().envs(world.worker_environment(changes));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().expect("it was just built");
        let pid = child.id().expect("it was not waited for yet");
        // Read all the while: a process that cannot print would stand still.
        let output = tokio::spawn(async { child.wait_with_output().await.expect("its output can be read") });
        Self { pid, output }
    }

    /// Sends a signal and waits for the end.
    async fn end_by(self, signal: &str) -> Output {
        let sent = Command::new("kill").args([signal, &self.pid.to_string()]).status().await.expect("kill is there");
        assert!(sent.success(), "{sent}");
        self.ended().await
    }

    async fn ended(self) -> Output {
        timeout(LONG, self.output).await.expect("it ends").expect("no panic")
    }
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

impl World {
    async fn forge_sign_ups(&self, codes: std::ops::Range<u32>) {
        for (n, code) in codes.enumerate() {
            self.forge(&self.body(self.sign_up_of(n, &code.to_string())).to_string()).await;
        }
    }

    /// The codes of the next messages on the phone.
    async fn codes(&self, count: usize) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        while codes.len() < count {
            let text = self.phone().await.body;
            codes.extend(text.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).map(str::to_owned));
        }
        codes
    }

    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let comes_true = async {
            while !condition(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, comes_true).await.expect("the condition comes true");
    }
}

fn numbers(codes: std::ops::Range<u32>) -> BTreeSet<String> {
    codes.map(|code| code.to_string()).collect()
}

#[tokio::test]
async fn a_service_delivers_what_is_queued_keeps_receiving_and_ends_with_zero() {
    let world = World::new().await;
    world.forge_sign_ups(100_000..100_025).await;
    let service = Service::start(&world, &[]);
    assert_eq!(world.codes(25).await, numbers(100_000..100_025));
    world.forge("no message at all").await;
    world.forge_sign_ups(200_000..200_001).await;
    assert_eq!(world.codes(1).await, numbers(200_000..200_001));
    world.until(|world| world.queued() == 0).await;
    assert_eq!(world.dead_letter().await.reason(), "malformed");

    let output = service.end_by("-TERM").await;

    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("\"event\":\"drained\",\"left\":0"), "{printed}");
    assert!(!printed.contains(PHONE) && !printed.contains("100007"), "nothing secret: {printed}");
    assert_eq!(world.twilio.messages(), 26);
}

#[tokio::test]
async fn sigterm_lets_an_sms_that_is_on_its_way_arrive_and_its_message_be_deleted() {
    let world = World::new().await;
    world.twilio.script(Script::Delay(Duration::from_secs(2), Box::new(Script::Accept)));
    world.forge_sign_ups(100_000..100_001).await;
    let service = Service::start(&world, &[]);
    world.until(|world| world.twilio.requests() == 1).await;

    let output = service.end_by("-TERM").await;

    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert_eq!((world.twilio.messages(), world.queued()), (1, 0));
}

#[tokio::test]
async fn sigkill_loses_nothing() {
    let world = World::new().await;
    // The first ones are at the provider when it happens, the others anywhere.
    for _ in 0..3 {
        world.twilio.script(Script::Delay(LONG, Box::new(Script::Accept)));
    }
    world.forge_sign_ups(100_000..100_030).await;
    let service = Service::start(&world, &[]);
    world.until(|world| world.twilio.requests() >= 10).await;
    let killed = service.end_by("-KILL").await;
    assert_eq!(killed.status.code(), None);
    assert!(world.queued() > 0, "it was killed in the middle");

    // What the dead one held comes back when its 30 seconds are over.
    world.aws.sqs().pass_time(Duration::from_secs(31));
    let service = Service::start(&world, &[]);
    assert_eq!(world.codes(30).await, numbers(100_000..100_030));
    world.until(|world| world.queued() == 0).await;
    assert_eq!(service.end_by("-INT").await.status.code(), Some(0), "Ctrl-C drains too");
    assert_eq!(world.dead_lettered(), 0);
}

#[tokio::test]
async fn a_queue_with_a_short_visibility_timeout_of_its_own_does_not_make_a_second_sms() {
    let world = World::new().await;
    let request = world.sqs.set_queue_attributes().queue_url(&world.queue_url);
    request.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await.expect("SQS is well");
    world.twilio.script(Script::Delay(Duration::from_secs(3), Box::new(Script::Accept)));
    world.forge_sign_ups(100_000..100_001).await;
    let service = Service::start(&world, &[]);
    world.until(|world| world.queued() == 0).await;
    assert_eq!(service.end_by("-TERM").await.status.code(), Some(0));
    assert_eq!(world.twilio.requests(), 1);
}

#[tokio::test]
async fn a_service_that_lacks_its_region_says_so() {
    let world = World::new().await;
    // Nothing on this machine answers for the metadata service of an instance.
    let output = Service::start(&world, &[("AWS_REGION", ""), ("AWS_EC2_METADATA_DISABLED", "true")]).ended().await;
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("worker cannot start: no AWS region is known; set AWS_REGION"), "{printed}");
}
