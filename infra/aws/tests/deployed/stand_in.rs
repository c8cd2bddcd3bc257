//! What MiniStack gets wrong, and what of the template is therefore otherwise there. Nothing else is changed.

use deployment::Template;
use serde_json::{Value, json};

/// Whether only what MiniStack stumbles over is changed, or also what it would judge wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapted {
    ToBeMade,
    ToBeRun,
}

/// The template for MiniStack.
pub(crate) fn template(adapted: Adapted) -> Value {
    let mut template = Template::sealpost().json().clone();
    leave_out_metric_math(&mut template);
    give_numbers_themselves(&mut template);
    if adapted == Adapted::ToBeRun {
        serve_without_tls(&mut template);
        know_sessions_by_their_own_arn(&mut template);
        use_the_key_whatever_the_encryption_context(&mut template);
        name_log_groups_without_their_streams(&mut template);
        trust_the_account(&mut template);
    }
    template
}

/// It refuses alarms on calculations.
fn leave_out_metric_math(template: &mut Value) {
    let resources = template["Resources"].as_object_mut().unwrap();
    let of_math = |resource: &Value| !resource["Properties"]["Metrics"].is_null();
    let names: Vec<_> =
        resources.iter().filter(|(_, resource)| of_math(resource)).map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["MessagesGivenUp", "NothingDelivered"]);
    for name in names {
        resources.remove(&name);
        let body = &mut resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0];
        *body = json!(body.as_str().unwrap().replace(&format!("\"${{{name}.Arn}}\", "), ""));
    }
}

/// It has no TLS here.
fn serve_without_tls(template: &mut Value) {
    for policy in ["QueuePolicy", "DeadLetterQueuePolicy", "FailedInvocationsPolicy"] {
        let statements = statements(template, policy, "PolicyDocument");
        statements.retain(|statement| statement["Sid"] != "NothingInClear");
        assert_eq!(statements.len(), 1, "{policy}");
    }
}

/// Its `aws:PrincipalArn` of a session is the session's own ARN; that of AWS is the role's.
fn know_sessions_by_their_own_arn(template: &mut Value) {
    for policy in ["QueuePolicy", "DeadLetterQueuePolicy", "FailedInvocationsPolicy"] {
        let condition = &mut statements(template, policy, "PolicyDocument")[0]["Condition"];
        for role in condition["ArnNotEquals"]["aws:PrincipalArn"].as_array_mut().unwrap() {
            let name = role["Fn::GetAtt"][0].as_str().unwrap();
            let session = format!("arn:aws:sts::${{AWS::AccountId}}:assumed-role/${{{name}}}/*");
            *role = json!({ "Fn::Sub": session });
        }
    }
}

/// It knows no `kms:EncryptionContext:…`, so that what it conditions would never be allowed.
fn use_the_key_whatever_the_encryption_context(template: &mut Value) {
    let [unseals, seals] = ["kms:Decrypt", "kms:GenerateDataKey"];
    for (policy, document, actions) in [
        ("WorkerMayUnseal", "PolicyDocument", &[unseals][..]),
        ("SendRoleMaySeal", "PolicyDocument", &[seals]),
        ("Key", "KeyPolicy", &[unseals, seals]),
    ] {
        let uses = |statement: &&mut Value| actions.iter().any(|action| statement["Action"] == *action);
        for statement in statements(template, policy, document).iter_mut().filter(uses) {
            statement.as_object_mut().unwrap().remove("Condition").unwrap();
        }
    }
}

/// Its ARN of a log group that is read lacks the `:*` of AWS's.
fn name_log_groups_without_their_streams(template: &mut Value) {
    let policies = &mut template["Resources"]["SendRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let mut statements = policies["Statement"].as_array_mut().unwrap().iter_mut();
    let reads = statements.find(|statement| statement["Action"] == "logs:FilterLogEvents").unwrap();
    let group = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${WorkerLogs}";
    assert_eq!(reads["Resource"]["Fn::GetAtt"], json!(["WorkerLogs", "Arn"]));
    reads["Resource"] = json!({ "Fn::Sub": group });
}

/// Its SenderId is the account.
fn trust_the_account(template: &mut Value) {
    let variables = &mut template["Resources"]["Worker"]["Properties"]["Environment"]["Variables"];
    variables["TRUSTED_SENDER_IDS"] = json!({ "Ref": "AWS::AccountId" });
}

/// Its parameters are texts even where they are numbers, and its mappings, those of all accounts, stop at a text.
fn give_numbers_themselves(template: &mut Value) {
    let number = template["Parameters"]["MaximumConcurrency"]["Default"].clone();
    let mapping = &mut template["Resources"]["Worker"]["Properties"]["Events"]["Queue"]["Properties"];
    mapping["ScalingConfig"]["MaximumConcurrency"] = number;
}

fn statements<'t>(template: &'t mut Value, resource: &str, document: &str) -> &'t mut Vec<Value> {
    template["Resources"][resource]["Properties"][document]["Statement"].as_array_mut().unwrap()
}
