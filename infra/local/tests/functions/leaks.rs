//! Everything that the two programs say, searched for everything that they must not say.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::aws::{KmsFault, SqsFault};
use local::fake_twilio::Script;
use local::lambda::{Function, Invocation, Outcome};
use serde_json::{Value, json};
use shared::TriggerSource;

use crate::world::{
    ACCOUNT_SID, AUTH_TOKEN, FUNCTION_TIMEOUT, LONG, SECRET_ACCESS_KEY, World, user_pool, write_configuration,
};

/// In everything that the fake provider says besides its ids.
const PROVIDERS_WORDS: &str = "words-of-the-provider";

/// A run through all kinds of endings, and what was said on the way.
struct Run {
    world: World,
    producer: Function,
    worker: Function,
    /// What must not be said: its kind and itself.
    secrets: Vec<(&'static str, String)>,
    /// What was said besides the programs' output: error answers, attributes of dead letters, start-up failures.
    said: String,
    /// What a phone, a queue or a provider rightly saw.
    rightly_seen: String,
    codes: u32,
}

impl Run {
    async fn start() -> Self {
        let world = World::new().await;
        let (producer, worker) = (world.producer().await, world.worker().await);
        let basic = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
        let secrets = vec![
            ("auth token", AUTH_TOKEN.to_owned()),
            ("auth token as it is sent", basic),
            ("secret access key", SECRET_ACCESS_KEY.to_owned()),
            ("provider's words", PROVIDERS_WORDS.to_owned()),
        ];
        Self { world, producer, worker, secrets, said: String::new(), rightly_seen: String::new(), codes: 0 }
    }

    /// A sound event with a code and a number of its own, of which every secret part is noted.
    fn event(&mut self, source: TriggerSource) -> Value {
        self.codes += 1;
        // Eight digits and more: six could turn up in some id by chance.
        let code = format!("{}", 73_921_400 + self.codes);
        let number = format!("+120655501{:02}", self.codes);
        let (sealed_text, text) = match source {
            TriggerSource::AdminCreateUser => (format!("Vo&lt;7&amp;{code}"), format!("Vo<7&{code}")),
            TriggerSource::SignUp
            | TriggerSource::ResendCode
            | TriggerSource::ForgotPassword
            | TriggerSource::UpdateUserAttribute
            | TriggerSource::VerifyUserAttribute
            | TriggerSource::Authentication
            | TriggerSource::AccountTakeOverNotification
            | TriggerSource::Other => (code.clone(), code.clone()),
        };
        let sealed = self.world.pool.seal(&sealed_text).expect("KMS is well");
        let mut event = self.world.pool.event(source, &number, Some(&sealed));
        event["request"]["userAttributes"]["email"] = json!(format!("mary.{code}@example.com"));
        event["request"]["clientMetadata"] = json!({ "note": format!("metadata of {code}") });
        self.secrets.push(("code or password", text));
        self.secrets.push(("number", number.clone()));
        self.secrets.push(("digits of a number", number[1..].to_owned()));
        self.secrets.push(("sealed code", sealed));
        event
    }

    async fn accept(&mut self, event: &Value) {
        let outcome = self.producer.invoke(event.to_string().as_bytes(), Invocation::within(LONG)).await;
        assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
    }

    async fn refuse(&mut self, payload: &[u8]) {
        let outcome = self.producer.invoke(payload, Invocation::within(LONG)).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        self.note(&outcome);
    }

    async fn work(&mut self, timeout: Duration) {
        let round = self.world.round_within(&self.worker, timeout).await;
        self.note(&round.outcome);
        for message in &round.messages {
            self.rightly_seen.push_str(message.body().unwrap_or_default());
        }
        // What came out as a retry is done with for this test.
        for message in
            round.messages.iter().filter(|message| round.stay.iter().any(|id| message.message_id() == Some(id)))
        {
            let request = self.world.sqs.delete_message().queue_url(&self.world.queue_url);
            request.set_receipt_handle(message.receipt_handle.clone()).send().await.expect("SQS is well");
        }
    }

    fn note(&mut self, outcome: &Outcome) {
        self.said.push_str(&match outcome {
            Outcome::Answered(answer) => String::from_utf8_lossy(answer).into_owned(),
            Outcome::Failed { error_type, error_message } => format!("{error_type}: {error_message}"),
            Outcome::Exited { code, output } => format!("{code:?} {output}"),
            Outcome::TimedOut => String::new(),
        });
        self.said.push('\n');
    }
}

#[tokio::test]
async fn nothing_secret_is_ever_said() {
    let mut run = Run::start().await;
    deliveries(&mut run).await;
    refusals_by_the_producer(&mut run).await;
    refusals_by_the_worker(&mut run).await;
    failures_around(&mut run).await;
    // At last: while the circuit is open that it leaves behind, no code is even decrypted.
    provider_errors(&mut run).await;
    failed_starts(&mut run).await;

    run.producer.kill().await;
    run.worker.kill().await;
    for function in [&run.producer, &run.worker] {
        let output = function.output();
        assert!(output.lines().count() > 5, "{output}");
        run.said.push_str(&output);
    }
    while run.world.dead_lettered() > 0 {
        let letters = run.world.receive(&run.world.dead_letter_queue_url).await;
        for letter in letters {
            run.said.push_str(&format!("{:?}\n", letter.message_attributes()));
            let request = run.world.sqs.delete_message().queue_url(&run.world.dead_letter_queue_url);
            request.set_receipt_handle(letter.receipt_handle).send().await.expect("SQS is well");
        }
    }
    // The run was as varied as it was meant to be.
    for expected in [
        "\"accepted\"",
        "\"rejected\"",
        "\"not_enqueued\"",
        "\"decrypted\"",
        "\"attempted\"",
        "\"not_attempted\"",
        "\"circuit_changed\"",
        "\"delivered\"",
        "\"retried\"",
        "\"dead_lettered\"",
        "malformed",
        "recipient_rejected",
        "fraud_blocked",
        "outcome_unknown",
        "undecryptable",
        "untrusted_sender",
        "wrong_user_pool",
        "expired",
        "country_not_allowed",
        "key_unavailable",
        "key_not_allowed",
        "out_of_time",
        "providers_unavailable",
        "QueueUnavailable",
        "cannot start",
    ] {
        assert!(run.said.contains(expected), "the run had no {expected}:\n{}", run.said);
    }
    for (kind, secret) in &run.secrets {
        assert!(!run.said.contains(secret.as_str()), "a {kind} was said: {secret}\n{}", run.said);
    }
}

/// One of each kind, and proof that the search would find what it looks for.
async fn deliveries(run: &mut Run) {
    let sources = [TriggerSource::SignUp, TriggerSource::AdminCreateUser, TriggerSource::Authentication];
    for source in sources {
        let event = run.event(source);
        run.accept(&event).await;
        run.work(FUNCTION_TIMEOUT).await;
        let sms = run.world.phone().await;
        run.rightly_seen.push_str(&format!("{} {}\n", sms.to, sms.body));
        run.secrets.push(("text", sms.body));
    }
    for (kind, secret) in &run.secrets {
        let is_of_a_message =
            ["code or password", "number", "digits of a number", "sealed code", "text"].contains(kind);
        assert!(!is_of_a_message || run.rightly_seen.contains(secret.as_str()), "the search does not find the {kind}");
    }
}

/// Answers that quote the text and the number, in every class.
async fn provider_errors(run: &mut Run) {
    for (status, code, requests) in
        [(400, 21211, 1), (403, 30450, 1), (400, 21408, 1), (503, 20503, 3), (500, 20500, 2), (200, 0, 2)]
    {
        let event = run.event(TriggerSource::SignUp);
        for _request in 0..requests {
            let number = event["request"]["userAttributes"]["phone_number"].clone();
            let echo = format!(
                "{PROVIDERS_WORDS}: cannot send 'Your Example sign-up code is {}' to {number}",
                73_921_400 + run.codes
            );
            run.world.provider_refuses(status, code, &echo);
        }
        run.accept(&event).await;
        run.work(FUNCTION_TIMEOUT).await;
        // Something that arrives: five failures in a row would open the circuit.
        let event = run.event(TriggerSource::SignUp);
        run.accept(&event).await;
        run.work(FUNCTION_TIMEOUT).await;
    }
    for script in [Script::ResetAfterRead, Script::HalfAnswer, Script::Garbage200] {
        run.world.twilio.script(script);
        let event = run.event(TriggerSource::ResendCode);
        run.accept(&event).await;
        run.work(FUNCTION_TIMEOUT).await;
    }
    for _failure in 0..5 {
        run.world.provider_refuses(503, 20503, PROVIDERS_WORDS);
    }
    for _message in 0..3 {
        let event = run.event(TriggerSource::ResendCode);
        run.accept(&event).await;
        run.work(FUNCTION_TIMEOUT).await;
    }
}

async fn refusals_by_the_producer(run: &mut Run) {
    let changes: [(&str, Value); 7] = [
        ("/request/code", json!("bm90IGEgY29kZSBhdCBhbGw=")),
        ("/request/code", Value::Null),
        ("/request/userAttributes/phone_number", json!("+1 206 555 0100 extension 4")),
        ("/request/type", json!("customEmailSenderRequestV1")),
        ("/userPoolId", json!("eu-west-1_OTHER0001")),
        ("/triggerSource", json!("CustomEmailSender_SignUp")),
        ("/request/userAttributes", json!("a text")),
    ];
    for (pointer, value) in changes {
        let mut event = run.event(TriggerSource::SignUp);
        *event.pointer_mut(pointer).expect("the event has it") = value;
        run.refuse(event.to_string().as_bytes()).await;
    }
    // Broken off in the middle, of a wrong type next to what is secret, and wrapped in something else.
    let whole = run.event(TriggerSource::SignUp).to_string();
    run.refuse(&whole.as_bytes()[..whole.len() - 40]).await;
    run.refuse(format!("[{whole}]").as_bytes()).await;
    run.refuse(whole.replace("\"version\"", "version").as_bytes()).await;
}

async fn refusals_by_the_worker(run: &mut Run) {
    type Change = fn(&mut Value);
    let changes: [Change; 8] = [
        |body| body["type"] = json!("sms.v9"),
        |body| body["id"] = json!("00".repeat(16)),
        |body| body["expires_at"] = json!("2026-11-23T12:00:00.000Z"),
        |body| body["event"]["userPoolId"] = json!("eu-west-1_OTHER0001"),
        |body| body["event"]["request"]["userAttributes"]["phone_number"] = json!("+10000000000"),
        |body| body["event"]["request"]["userAttributes"]["phone_number"] = json!("+1206"),
        |body| body["event"]["request"]["code"] = json!(["of", "another", "type"]),
        |body| {
            let code = STANDARD.decode(body["event"]["request"]["code"].as_str().unwrap_or_default());
            let mut code = code.expect("base64");
            *code.last_mut().expect("not empty") ^= 1;
            body["event"]["request"]["code"] = json!(STANDARD.encode(code));
        },
    ];
    for change in changes {
        let event = run.event(TriggerSource::ForgotPassword);
        let mut body = run.world.body(event);
        change(&mut body);
        run.world.forge(&body.to_string()).await;
    }
    let event = run.event(TriggerSource::SignUp);
    let body = run.world.body(event).to_string();
    run.world.forge_as("AROASTRANGER", &body).await;
    run.world.forge(&body[..body.len() - 40]).await;
    let event = run.event(TriggerSource::SignUp);
    let other_key = user_pool(&run.world.aws, run.world.pool.id.as_str());
    let sealed = other_key.seal("73921499").expect("KMS is well");
    run.secrets.extend([("code or password", "73921499".to_owned()), ("sealed code", sealed.clone())]);
    let mut event = event;
    event["request"]["code"] = json!(sealed);
    run.world.forge(&run.world.body(event).to_string()).await;
    while run.world.queued() > 0 {
        run.work(FUNCTION_TIMEOUT).await;
    }
    let outcome =
        run.worker.invoke(format!("{{\"Records\":[{{\"body\":{body}}}]}}").as_bytes(), Invocation::within(LONG)).await;
    run.note(&outcome);
}

async fn failures_around(run: &mut Run) {
    for fault in [KmsFault::Throttled, KmsFault::AccessDenied] {
        let event = run.event(TriggerSource::SignUp);
        run.accept(&event).await;
        run.world.aws.kms().set_fault(Some(fault));
        run.work(FUNCTION_TIMEOUT).await;
        run.world.aws.kms().set_fault(None);
    }
    let event = run.event(TriggerSource::SignUp);
    run.accept(&event).await;
    run.work(Duration::from_secs(2)).await;
    let event = run.event(TriggerSource::SignUp);
    run.world.aws.sqs().set_fault(Some(SqsFault::Unavailable));
    run.refuse(event.to_string().as_bytes()).await;
    run.world.aws.sqs().set_fault(None);
}

async fn failed_starts(run: &mut Run) {
    let path = write_configuration(&format!(
        "[[provider]]\nname = \"main\"\nkind = \"twilio\"\nbase_url = \"http://user:{AUTH_TOKEN}@example.com\"\n\
         account_sid = \"{AUTH_TOKEN}\"\nauth_token = \"{AUTH_TOKEN}\"\nfrom = \"{AUTH_TOKEN}\"\nbroken\n"
    ));
    let text = path.to_str().expect("UTF-8");
    let worker = run.world.worker_with(&[("SEALPOST_CONFIG", text), ("KMS_KEY_ARNS", SECRET_ACCESS_KEY)]).await;
    let producer = run.world.producer_with(&[("SEALPOST_CONFIG", text), ("USER_POOL_IDS", AUTH_TOKEN)]).await;
    for function in [worker, producer] {
        let outcome = function.invoke(b"{}", Invocation::within(LONG)).await;
        assert!(matches!(outcome, Outcome::Exited { code: Some(1), .. }), "{outcome:?}");
        run.note(&outcome);
    }
    std::fs::remove_file(path).expect("it was just written");
}
