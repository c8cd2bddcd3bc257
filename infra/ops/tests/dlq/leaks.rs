//! Nothing that a command prints, or writes beside what `drop` keeps, has a whole number or a code in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::{DEAD_LETTERS, Put, World, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_prints_a_number_or_a_code() {
    let world = World::new();
    for number in 0..4 {
        world.put(&Put::new(number));
    }
    world.put(&Put::new(4).moved_by_sqs());
    world.put_failed_invocation(&Put::new(5), "RetriesExhausted");
    world.put(&Put::new(6).reason("outcome_unknown").expired());
    let mut body: serde_json::Value = serde_json::from_str(&world.body(&Put::new(7))).expect("JSON");
    body["event"]["request"]["userAttributes"]["phone_number"] = "12065550100 or so".into();
    world.put_body(body.to_string(), &[("reason", "invalid_phone_number".to_owned())], "AROAWORKER");
    world.put_body("not JSON: +12065550100".to_owned(), &[("reason", "malformed".to_owned())], "AROAWORKER");
    let codes: Vec<_> = world.messages(DEAD_LETTERS).iter().filter_map(|message| code(&message.body)).collect();
    assert_eq!(codes.len(), 8);

    let mut printed = String::new();
    for arguments in [
        &["stats"][..],
        &["stats", "--json"],
        &["list"],
        &["list", "--json"],
        &["show", id(0).as_str()],
        &["show", id(5).as_str(), "--json"],
        &["show", &world.messages(DEAD_LETTERS)[8].id],
        &["redrive"],
        &["redrive", "--json"],
        &["drop", "--limit", "2", "--into", "dropped.jsonl", "--yes"],
        &["restore", "dropped.jsonl", "--yes"],
        &["restore", "dropped.jsonl", "--json"],
        &["redrive", "--audit", "audit.json", "--yes"],
    ] {
        let output = world.run(arguments).await;
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    for file in ["audit.json", "dropped.jsonl.restored"] {
        printed.push_str(&std::fs::read_to_string(world.folder.path().join(file)).expect("written"));
    }
    assert!(printed.contains("+1…00") && printed.contains(id(0).as_str()), "it speaks of these letters: {printed}");
    assert!(!printed.contains("2065550100"), "a whole number: {printed}");
    for code in codes {
        // The first eight characters are shown, so that a person sees that it is sealed.
        assert!(!printed.contains(&code[8..40]) && !printed.contains(&code[code.len() - 32..]), "a code: {printed}");
    }
}

fn code(body: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let code =
        body.pointer("/event/request/code").or_else(|| body.pointer("/requestPayload/request/code"))?.as_str()?;
    STANDARD.decode(code).expect("base64");
    Some(code.to_owned())
}
