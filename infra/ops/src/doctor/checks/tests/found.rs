//! What MiniStack cannot show, or shows in one shape only: the rest is provoked there, in `tests/doctor`.

use serde_json::{Value, json};
use shared::UserPoolId;

use super::super::super::reading::{
    AppClient, AppClients, Grant, Mapping, NotNamed, Pool, Readings, Unread, WorkersRight,
};
use super::fixture::{self, POOL, PRODUCER, URL, sound};
use super::{command, told};

fn with_pool(change: impl FnOnce(&mut Value)) -> Readings {
    let mut pool = fixture::pool();
    change(&mut pool);
    Readings { pool: Ok(Pool::of(UserPoolId::parse(POOL).expect("a pool"), &pool)), ..sound() }
}

fn with_mapping(change: impl FnOnce(&mut Value)) -> Readings {
    let mut mapping = fixture::mapping();
    change(&mut mapping);
    Readings { mappings: Ok(vec![Mapping::of(&mapping)]), ..sound() }
}

fn with_policy(policy: &Value) -> Readings {
    let queue = fixture::queue("sealpost", "ProducerRole", &json!({ "Policy": policy.to_string() }));
    Readings { queue: Ok(queue), ..sound() }
}

#[test]
fn an_alias_is_as_good_as_the_function_and_a_version_is_not() {
    let with = |qualifier: &str| {
        let arn = format!("{PRODUCER}{qualifier}");
        let variables = fixture::producers_variables();
        let producer = fixture::function(&arn, "ProducerRole", 5, 256, &variables);
        let readings = with_pool(|pool| pool["LambdaConfig"]["CustomSMSSender"]["LambdaArn"] = json!(arn));
        Readings { producer: Ok(producer), ..readings }
    };
    assert_eq!(told(&with(":live"), "trigger").0, "sound");
    assert_eq!(told(&with(":$LATEST"), "trigger").0, "sound");
    let (verdict, found) = told(&with(":7"), "trigger");
    assert_eq!((verdict, found.contains("version 7 of sealpost-Producer")), ("wrong", true), "{found}");
    let missing = Readings { policy: Ok(None), ..with(":live") };
    let granted = command(&missing, "invoke-right").expect("a command");
    assert!(granted.starts_with("aws lambda add-permission --function-name sealpost-Producer --qualifier live "));
    let without_stack = Readings { stack: None, stack_name: None, ..with(":7") };
    let attach = command(&without_stack, "trigger").expect("a command");
    assert!(attach.contains(&format!("--function {PRODUCER} --key ")), "{attach}");
}

#[test]
fn the_sms_settings_may_be_of_either_service() {
    let with = |settings: Value| with_pool(|pool| pool["SmsConfiguration"] = settings);
    assert_eq!(told(&with(json!({ "EumsSms": { "CallerArn": "x" } })), "sms-settings").0, "sound");
    assert_eq!(told(&with(json!({ "ExternalId": "x" })), "sms-settings").0, "wrong");
}

#[test]
fn where_a_forgotten_password_goes_is_judged_by_what_cognito_documents() {
    let with = |ways: &[&str], mfa: &str, sms_mfa: bool| {
        // In another order than by priority.
        let ways = ways.iter().enumerate().map(|(at, way)| json!({ "Name": way, "Priority": at + 1 }));
        let ways: Vec<_> = ways.rev().collect();
        let readings = with_pool(|pool| {
            pool["AccountRecoverySetting"] = json!({ "RecoveryMechanisms": ways });
            pool["MfaConfiguration"] = json!(mfa);
        });
        told(&Readings { sms_mfa: Ok(sms_mfa), ..readings }, "account-recovery")
    };
    let (phone, email) = ("verified_phone_number", "verified_email");
    assert_eq!(with(&[], "ON", true).0, "sound");
    assert_eq!(with(&[phone, email], "OFF", false).0, "sound");
    assert_eq!(with(&[phone], "OPTIONAL", false).0, "sound", "only an app is the second factor");
    let (verdict, found) = with(&[phone, email], "OPTIONAL", true);
    assert_eq!(verdict, "warning");
    assert!(found.starts_with("verified_phone_number, then verified_email: users with SMS"), "{found}");
    assert!(with(&[phone], "ON", true).1.ends_with("get nothing when they forget a password"));
    assert_eq!(with(&[email, phone], "OFF", false).0, "sound");
    assert!(with(&[email], "OFF", false).1.contains("never sends an SMS"));
    assert!(with(&["admin_only"], "OFF", false).1.contains("never sends an SMS"));
}

#[test]
fn each_app_client_has_a_lifetime_of_its_own() {
    let client = |id: &str, client: Value| AppClient::of(id.to_owned(), &client);
    let with = |clients: Vec<AppClient>, is_cut, more: &str| {
        let clients = Ok(AppClients { looked_at: clients, is_cut });
        let configuration = Some(fixture::configuration(more));
        told(&Readings { clients, configuration, ..sound() }, "sign-in-lifetime")
    };
    let program = client("program", json!({ "AuthSessionValidity": 15, "AllowedOAuthFlows": ["client_credentials"] }));
    let app = client("app", json!({ "AuthSessionValidity": 15 }));
    let web = client("web", json!({}));
    let (verdict, found) = with(vec![program.clone(), web.clone()], true, "");
    assert_eq!(verdict, "sound");
    assert!(found.ends_with("1 app client looked at (others were not looked at)"), "{found}");
    let (verdict, found) = with(vec![app.clone(), web.clone()], false, "");
    assert_eq!((verdict, found.contains("app (15 min) ends; 2 app clients")), ("warning", true), "{found}");
    let all = "\n[lifetime]\nauthentication = \"15m\"\n";
    let (verdict, found) = with(vec![app, web], false, all);
    assert_eq!((verdict, found.contains("AuthSessionValidity of web (3 min)")), ("wrong", true), "{found}");
}

#[test]
fn a_password_of_unset_life_lives_for_a_week() {
    for (policy, legacy) in [(json!({}), json!({})), (json!({ "TemporaryPasswordValidityDays": 0 }), json!({}))] {
        let readings = with_pool(|pool| {
            pool["Policies"]["PasswordPolicy"] = policy;
            pool["AdminCreateUserConfig"] = legacy;
        });
        assert_eq!(told(&readings, "password-lifetime").0, "sound");
    }
    let legacy = with_pool(|pool| {
        pool["Policies"] = json!({});
        pool["AdminCreateUserConfig"] = json!({ "UnusedAccountValidityDays": 2 });
    });
    assert_eq!(told(&legacy, "password-lifetime").0, "wrong");
}

#[test]
fn a_grant_counts_if_it_is_cognitos_and_for_the_pool() {
    let with = |change: fn(&mut Grant)| {
        let mut grant = fixture::grant();
        change(&mut grant);
        told(&Readings { grants: Ok(vec![grant]), ..sound() }, "cognito-grant")
    };
    assert_eq!(with(|grant| grant.pools.clear()).0, "sound");
    for change in [
        (|grant| grant.grantees = vec!["arn:aws:iam::123456789012:role/x".to_owned()]) as fn(&mut Grant),
        |grant| grant.encrypts = false,
        |grant| grant.pools = vec!["eu-west-1_Another01".to_owned()],
    ] {
        assert_eq!(with(change).0, "unknown");
    }
}

#[test]
fn what_the_workers_role_may_is_allowed_refused_or_open() {
    let with = |right| told(&Readings { workers_right: Ok(right), ..sound() }, "worker-decrypts");
    assert_eq!(with(WorkersRight::Allowed).0, "sound");
    assert_eq!(with(WorkersRight::Refused).0, "wrong");
    assert_eq!(with(WorkersRight::NotAssumed).0, "unknown");
}

#[test]
fn filters_are_found_even_where_they_are_encrypted() {
    let encrypted = with_mapping(|mapping| {
        mapping["FilterCriteria"] = json!(null);
        mapping["KMSKeyArn"] = json!(fixture::KEY);
    });
    assert_eq!(told(&encrypted, "mapping-filter").0, "wrong");
    let empty = with_mapping(|mapping| mapping["FilterCriteria"] = json!({ "Filters": [] }));
    assert_eq!(told(&empty, "mapping-filter").0, "sound");
}

#[test]
fn provisioned_mode_needs_no_maximum_concurrency() {
    let provisioned = with_mapping(|mapping| {
        mapping["ScalingConfig"] = json!(null);
        mapping["ProvisionedPollerConfig"] = json!({ "MinimumPollers": 2, "MaximumPollers": 20 });
    });
    assert_eq!(told(&provisioned, "mapping-concurrency").0, "sound");
    let enough = Readings { worker_concurrency: Ok(Some(10)), ..sound() };
    assert_eq!(told(&enough, "mapping-concurrency").0, "sound");
}

#[test]
fn without_a_mapping_the_worker_may_be_a_service() {
    let none = Unread::NotNamed(NotNamed::Worker);
    let readings = Readings { mappings: Ok(Vec::new()), worker: Err(none), stack: None, ..sound() };
    let (verdict, found) = told(&readings, "mapping");
    assert_eq!((verdict, found.contains("the worker is a service")), ("warning", true));
    for check in ["mapping-window", "mapping-result", "worker-keys", "queue-visibility"] {
        assert_eq!(told(&readings, check).0, "unknown", "{check}");
    }
}

#[test]
fn a_queues_policy_is_read_in_every_shape() {
    let (producer, redrive) = (fixture::role("ProducerRole"), fixture::role("RedriveRole"));
    let deny =
        |condition: Value| json!({ "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Condition": condition });
    let allow = |principal: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": ["sqs:Send*"] });
    for (statement, verdict) in [
        (deny(json!({ "ArnNotLike": { "AWS:PrincipalArn": producer } })), "sound"),
        (deny(json!({ "StringNotEquals": { "aws:PrincipalArn": [producer, redrive] } })), "sound"),
        (
            json!({ "Effect": "Deny", "NotPrincipal": { "AWS": [producer] }, "NotAction": "sqs:ReceiveMessage" }),
            "sound",
        ),
        (deny(json!({ "ArnNotEquals": { "aws:PrincipalArn": redrive } })), "wrong"),
        (deny(json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/*" } })), "warning"),
        (deny(json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/ProducerRol?" } })), "sound"),
        // Not for everybody, so no lock: the account's rights count.
        (deny(json!({ "Bool": { "aws:SecureTransport": "false" } })), "warning"),
        (
            deny(
                json!({ "ArnNotEquals": { "aws:PrincipalArn": producer }, "Bool": { "aws:MultiFactorAuthPresent": "false" } }),
            ),
            "warning",
        ),
        (json!({ "Effect": "Deny", "Principal": { "AWS": producer }, "Action": "sqs:SendMessage" }), "warning"),
        (allow(json!({ "AWS": producer })), "warning"),
        (allow(json!("*")), "wrong"),
        (allow(json!({ "AWS": ["210987654321"] })), "wrong"),
        (allow(json!({ "Service": "sns.amazonaws.com" })), "wrong"),
        (json!({ "Effect": "Allow", "Principal": "*", "Action": "sqs:ReceiveMessage" }), "warning"),
    ] {
        let told = told(&with_policy(&json!({ "Statement": statement })), "queue-senders");
        assert_eq!(told.0, verdict, "{statement}: {}", told.1);
    }
    assert_eq!(told(&with_policy(&json!("no policy")), "queue-senders").0, "warning");
}

#[test]
fn one_policy_locks_each_queue_for_its_own_role() {
    let open = |name: &str| fixture::queue(name, "x", &json!({ "Policy": "" }));
    let readings = Readings {
        queue: Ok(open("sealpost")),
        dead_letters: Ok(open("sealpost-dead-letters")),
        failed_invocations: Ok(open("sealpost-failed-invocations")),
        ..sound()
    };
    for (check, owner) in [
        ("queue-senders", "ProducerRole"),
        ("dead-letter-senders", "WorkerRole"),
        ("failed-invocation-senders", "ProducerRole"),
    ] {
        let command = command(&readings, check).expect("a command");
        for role in [owner, "RedriveRole"] {
            assert!(command.contains(&fixture::role(role)), "{check}: {command}");
        }
    }
}

#[test]
fn a_longer_horizon_needs_more_receives() {
    let configuration = Some(fixture::configuration("\n[retry]\nhorizon = \"8h\"\n"));
    let (verdict, found) = told(&Readings { configuration, ..sound() }, "queue-receives");
    assert_eq!(
        (verdict, found.as_str()),
        ("wrong", "maxReceiveCount 746; the configuration's horizon of 8 h needs 986")
    );
    let (verdict, found) = told(&Readings { configuration: None, ..sound() }, "queue-receives");
    assert_eq!((verdict, found.as_str()), ("sound", "maxReceiveCount 746; the default horizon of 6 h needs 746"));
}

#[test]
fn the_same_queue_has_several_hosts() {
    let with = |url: &str| {
        let mut variables = fixture::workers_variables();
        variables["QUEUE_URL"] = json!(url);
        told(&Readings { worker: Ok(fixture::worker(&variables)), ..sound() }, "worker-queue").0
    };
    assert_eq!(with("https://eu-west-1.queue.amazonaws.com/123456789012/sealpost"), "sound");
    assert_eq!(with(&format!("{URL}/")), "sound");
    assert_eq!(with("https://sqs.eu-west-1.amazonaws.com/210987654321/sealpost"), "wrong");
}

#[test]
fn without_a_state_table_its_ttl_is_no_question() {
    let readings = Readings { table: Ok(None), time_to_live: Ok(None), ..sound() };
    assert_eq!(told(&readings, "state-table").0, "warning");
    assert_eq!(told(&readings, "state-table-ttl").0, "sound");
}

#[test]
fn neither_variables_nor_members_of_the_secret_are_shown() {
    let mut variables = fixture::workers_variables();
    for variable in ["QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "KMS_KEY_ARNS", "STATE_TABLE", "PROVIDER_SECRET_ARN"] {
        // Whoever mixes variables up may put a credential anywhere.
        variables[variable] = json!("hush-in-the-wrong-place");
    }
    variables["GATEWAY_TOKEN"] = json!("hush-token");
    let mut readings = Readings { worker: Ok(fixture::worker(&variables)), ..sound() };
    fixture::look_as_worker(&mut readings);
    let mut text = Vec::new();
    super::super::super::report::text(&super::all(&readings), &mut text).expect("memory has room");
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.contains("wrong") && !text.contains("hush"), "{text}");
    assert!(!format!("{:?}", readings.worker).contains("hush"));
}
