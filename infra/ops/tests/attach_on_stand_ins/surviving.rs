//! Pools attached and detached: nothing else of them changes.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use serde_json::{Value, json};
use witnesses::{Missing, python};

use crate::cloud::Cloud;
use crate::generator::{self, Pool, everything};
use crate::snapshot::Snapshot;

const POOLS: u32 = 24;

pub(crate) fn every_setting_survives(cloud: &Cloud) -> Result<(), Missing> {
    let config =
        ProptestConfig { cases: POOLS, max_shrink_iters: 50, failure_persistence: None, ..ProptestConfig::default() };
    let pools = generator::pool().prop_filter_map("cannot be kept here", |pool| cloud.which.can_keep(pool));
    // The same pools each time: what others' programs do with yet other ones must not decide over a change of ours. The
    // strict Cognito gets new ones with each run.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let survived = TestRunner::new_with_rng(config, rng).run(&pools, |pool| survives(cloud, &pool));
    survived.unwrap_or_else(|failure| panic!("{failure}"));
    Ok(())
}

fn survives(cloud: &Cloud, pool: &Pool) -> TestCaseResult {
    let (id, tool) = (cloud.create(pool), cloud.tool());
    let before = Snapshot::of(&cloud.api, &id);
    let attach = [&cloud.attach(&id, &cloud.function)[..], &["--json", "--undo-file", "undo.json"]].concat();
    let attached = tool.run(&attach).json();
    prop_assert_eq!((&attached["done"], &attached["invoke_right"]), (&json!(true), &json!("granted")));
    let after = Snapshot::of(&cloud.api, &id);
    prop_assert_eq!(cloud.changes(&before, &after), [""; 0]);
    let sender = json!({ "LambdaVersion": "V1_0", "LambdaArn": cloud.function });
    prop_assert_eq!(after.get("LambdaConfig.CustomSMSSender"), sender);
    prop_assert_eq!(after.get("LambdaConfig.KMSKeyID"), cloud.key.as_str());

    // Only the file knows which sender there was before.
    let undo_file: &[&str] = if pool.has_own_sms_sender() { &["--undo-file", "undo.json"] } else { &[] };
    let detach = [&["detach", "--user-pool-id", &id, "--yes", "--json"], undo_file].concat();
    let detached = tool.run(&detach).json();
    prop_assert_eq!((&detached["done"], &detached["invoke_right"]), (&json!(true), &json!("withdrawn")));
    let detached = Snapshot::of(&cloud.api, &id);
    prop_assert_eq!(cloud.changes(&before, &detached), [""; 0]);
    for path in ["LambdaConfig.CustomSMSSender", "LambdaConfig.KMSKeyID"] {
        prop_assert_eq!(before.get(path), detached.get(path));
    }
    Ok(())
}

pub(crate) fn an_alias_has_a_right(cloud: &Cloud) -> Result<(), Missing> {
    let (id, tool) = (cloud.create(&bare()), cloud.tool());
    let attach = [&cloud.attach(&id, &cloud.alias)[..], &["--json"]].concat();
    assert_eq!(tool.run(&attach).json()["invoke_right"], json!("granted"));
    let again = tool.run(&attach).json();
    assert_eq!((&again["changes"], &again["invoke_right"]), (&json!([]), &json!("there")));
    let path = "/2015-03-31/functions/producer/policy?Qualifier=live";
    let policy = cloud.api.call("lambda", "GET", path, &[], "").unwrap();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let is_ours = |statement: &&Value| statement["Sid"] == format!("sealpost-{id}");
    let statement = policy["Statement"].as_array().unwrap().iter().find(is_ours).unwrap();
    assert_eq!(statement["Resource"], json!(cloud.alias));
    let detach = ["detach", "--user-pool-id", &id, "--yes", "--json"];
    assert_eq!(tool.run(&detach).json()["invoke_right"], json!("withdrawn"));
    Ok(())
}

pub(crate) fn the_aws_cli_takes_the_undo_file(cloud: &Cloud) -> Result<(), Missing> {
    let mut creation = everything::creation();
    creation["PoolName"] = json!("customers");
    // The CLI that is pinned here does not know these yet.
    for name in ["AcrConfiguration", "DcrConfiguration"] {
        creation.as_object_mut().unwrap().remove(name);
    }
    let pool = cloud.which.can_keep(Pool { creation, second_factors: None }).unwrap();
    let (id, tool) = (cloud.create(&pool), cloud.tool());
    let before = Snapshot::of(&cloud.api, &id);
    tool.run(&[&cloud.attach(&id, &cloud.function)[..], &["--json", "--undo-file", "undo.json"]].concat()).json();
    let mut aws = python()?.program("aws");
    aws.env_clear().envs([("AWS_ACCESS_KEY_ID", "123456789012"), ("AWS_SECRET_ACCESS_KEY", "test")]);
    aws.args(["--endpoint-url", &cloud.endpoint, "--region", "eu-west-1", "cognito-idp", "update-user-pool"]);
    aws.arg("--cli-input-json").arg(format!("file://{}", tool.path("undo.json").display()));
    let output = aws.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut differences = before.differences(&Snapshot::of(&cloud.api, &id));
    differences.retain(|path| !cloud.which.loses.contains(&path.as_str()));
    assert_eq!(differences, [""; 0]);
    Ok(())
}

/// A pool of which nothing is said.
pub(crate) fn bare() -> Pool {
    Pool { creation: json!({ "PoolName": "customers" }), second_factors: None }
}

impl Cloud {
    /// What has changed between two pictures of a pool that attaching has no business with, but for what the stand-in
    /// is known to lose.
    pub(crate) fn changes(&self, before: &Snapshot, after: &Snapshot) -> Vec<String> {
        let mut found = before.differences_but_attached(after);
        found.retain(|path| !self.which.loses.contains(&path.as_str()));
        found
    }
}
