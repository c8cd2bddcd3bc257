//! What is sent arrives, and is followed to the phone.

use local::{Ending, Journey, Pipeline};
use serde_json::Value;

use crate::tool::{TO, send_through};

async fn arrived(pipeline: &mut Pipeline) -> String {
    loop {
        let Journey { ending, .. } = pipeline.next_journey().await;
        if let Ending::Arrived(sms) = ending {
            assert_eq!(sms.to, TO);
            return sms.body;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_that_is_shown_is_on_the_phone_whatever_the_source() {
    let mut pipeline = Pipeline::start(0).await.expect("a free port");
    for source in [
        "SignUp",
        "ResendCode",
        "ForgotPassword",
        "UpdateUserAttribute",
        "VerifyUserAttribute",
        "CustomSMSSender_Authentication",
        "AdminCreateUser",
        "other",
    ] {
        let said = send_through(&pipeline, &["--source", source, "--yes"]).await;
        let code = said.made_up_code();
        said.assert_told(0, &[&format!("delivered: the phone +1…42 must show {code}\n")]);
        let body = arrived(&mut pipeline).await;
        assert!(body.contains(&format!(" is {code}")), "{source}: {code} {body}");
    }
    let said = send_through(&pipeline, &["--source", "AccountTakeOverNotification", "--yes"]).await;
    said.assert_told(0, &["delivered: the phone +1…42 must show a notice\n"]);
    assert!(arrived(&mut pipeline).await.starts_with("Unusual sign-in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_is_a_line_in_its_order() {
    let pipeline = Pipeline::start(0).await.expect("a free port");
    let said = send_through(&pipeline, &["--yes"]).await;
    let told: Vec<_> = said.out.lines().collect();
    assert_eq!(told.len(), 6, "{}", said.out);
    assert!(
        told[0].starts_with("made up for eu-west-1_LOCAL0001: ") && told[0].ends_with("… (suite 0x0378)"),
        "{}",
        told[0]
    );
    for (line, (program, what)) in told[1..5].iter().zip([
        ("producer", "accepted in "),
        ("worker", "unsealed with KMS in "),
        ("worker", "twilio-local answered in "),
        ("worker", "delivered: twilio-local took it as SM"),
    ]) {
        let (time, rest) = line.split_once("  ").expect("a time");
        assert!(time.len() == "14:32:05.770Z".len() && time.ends_with('Z'), "{line}");
        assert!(rest.starts_with(&format!("{program:<10}{what}")), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_yes_nothing_is_sent_and_what_would_be_is_said() {
    let mut pipeline = Pipeline::start(0).await.expect("a free port");
    let key = pipeline.pool.key.to_string();
    let would = format!(
        "would seal a made-up code for user pool eu-west-1_LOCAL0001 with {key}, as Cognito does\n\
         would invoke producer with it: SignUp for +1…42\n\
         would follow the message in log group /aws/lambda/worker for 60s at most\n\
         a real SMS would go to that phone\n\
         nothing is done yet: say it again with --yes\n"
    );
    for arguments in [&[][..], &["--dry-run"]] {
        let said = send_through(&pipeline, arguments).await;
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), would.as_str(), ""));
    }
    let json = send_through(&pipeline, &["--json"]).await.json();
    assert_eq!((&json["done"], &json["to"]), (&Value::from(false), &Value::from("+1…42")));
    // The first that arrives is the first that was meant.
    let said = send_through(&pipeline, &["--yes"]).await;
    assert!(arrived(&mut pipeline).await.contains(said.made_up_code()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_is_one_object_with_the_facts_and_without_metrics() {
    let mut pipeline = Pipeline::start(0).await.expect("a free port");
    let said = send_through(&pipeline, &["--source", "ForgotPassword", "--yes", "--json"]).await;
    let json = said.json();
    assert_eq!(
        (said.code, &json["ending"], &json["trigger_source"]),
        (Some(0), &"delivered".into(), &"ForgotPassword".into())
    );
    let facts = json["facts"].as_array().expect("a list");
    let events: Vec<_> = facts.iter().map(|fact| fact["event"].as_str().expect("a name")).collect();
    assert_eq!(events, ["accepted", "decrypted", "attempted", "delivered"]);
    assert!(facts.iter().all(|fact| fact["id"] == json["id"] && fact.get("_aws").is_none()), "{json}");
    assert!(arrived(&mut pipeline).await.contains(json["made_up_code"].as_str().expect("a code")));
}
