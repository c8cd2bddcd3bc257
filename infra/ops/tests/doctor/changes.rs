//! What an operator, or somebody else, may do to a deployment.

use std::fs;

use serde_json::{Value, json};

use crate::cloud::REGION;
use crate::proxy::{Answer, Rule};
use crate::world::World;

impl World {
    /// Writes the configuration file, after `change` to its text.
    pub(crate) fn configure(&self, change: impl FnOnce(&mut String)) {
        let sample = include_str!("../../../aws/sealpost.toml");
        let ours = format!("kind = \"twilio\"\nbase_url = \"{}\"", self.provider);
        let mut text = sample.replace("kind = \"twilio\"", &ours);
        change(&mut text);
        fs::write(&self.config, text).unwrap();
    }

    pub(crate) fn put_secret(&self, secret: &str) {
        let put = json!({ "SecretId": self.output("ProviderSecretArn"), "SecretString": secret });
        self.cloud.call("secretsmanager", "put_secret_value", &put);
    }

    /// Sets environment variables of a function, or takes them away.
    pub(crate) fn set_variables(&self, function: &str, to: &[(&str, Option<&str>)]) {
        let name = self.resource(function);
        let configuration = self.cloud.call("lambda", "get_function_configuration", &json!({ "FunctionName": name }));
        let mut variables = configuration["Environment"]["Variables"].clone();
        for (variable, value) in to {
            match value {
                Some(value) => variables[variable] = json!(value),
                None => drop(variables.as_object_mut().unwrap().remove(*variable)),
            }
        }
        self.update(function, &json!({ "Environment": { "Variables": variables } }));
    }

    /// Changes settings of a function.
    pub(crate) fn update(&self, function: &str, settings: &Value) {
        let mut update = settings.clone();
        update["FunctionName"] = json!(self.resource(function));
        self.cloud.call("lambda", "update_function_configuration", &update);
    }

    /// Changes settings of the pool; MiniStack keeps the others.
    pub(crate) fn update_pool(&self, settings: &Value) {
        let mut update = settings.clone();
        update["UserPoolId"] = json!(self.pool);
        self.cloud.call("cognito-idp", "update_user_pool", &update);
    }

    pub(crate) fn attach(&self) {
        let sender = json!({ "LambdaArn": self.output("ProducerArn"), "LambdaVersion": "V1_0" });
        self.update_pool(&json!({ "LambdaConfig": { "CustomSMSSender": sender, "KMSKeyID": self.output("KeyArn") } }));
    }

    /// Changes attributes of a queue of the stack's outputs.
    pub(crate) fn set_queue(&self, output: &str, attributes: &Value) {
        let set = json!({ "QueueUrl": self.output(output), "Attributes": attributes });
        self.cloud.call("sqs", "set_queue_attributes", &set);
    }

    pub(crate) fn mapping(&self) -> String {
        let list = json!({ "FunctionName": self.resource("Worker") });
        let listed = self.cloud.call("lambda", "list_event_source_mappings", &list);
        listed["EventSourceMappings"][0]["UUID"].as_str().unwrap().to_owned()
    }

    pub(crate) fn update_mapping(&self, settings: &Value) {
        let mut update = settings.clone();
        update["UUID"] = json!(self.mapping());
        self.cloud.call("lambda", "update_event_source_mapping", &update);
    }

    /// Has a call answered as MiniStack does, but for a change.
    pub(crate) fn answer(&self, call: &'static str, change: fn(&mut Value)) {
        self.proxy.set(&[Rule { call, answer: Answer::Changed(change) }]);
    }

    pub(crate) fn stack_is(&self, status: &'static str) {
        self.proxy.set(&[Rule { call: "DescribeStacks", answer: Answer::Replaced("CREATE_COMPLETE", status) }]);
    }

    pub(crate) fn trigger(&self, function: &str, version: &str) {
        let sender = json!({ "LambdaArn": function, "LambdaVersion": version });
        self.update_pool(&json!({ "LambdaConfig": { "CustomSMSSender": sender, "KMSKeyID": self.output("KeyArn") } }));
    }

    pub(crate) fn seal_with(&self, key: Option<&str>) {
        let sender = json!({ "LambdaArn": self.output("ProducerArn"), "LambdaVersion": "V1_0" });
        let mut triggers = json!({ "CustomSMSSender": sender });
        if let Some(key) = key {
            triggers["KMSKeyID"] = json!(key);
        }
        self.update_pool(&json!({ "LambdaConfig": triggers }));
    }

    pub(crate) fn make_key(&self, settings: &Value) -> String {
        let made = self.cloud.call("kms", "create_key", settings);
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    pub(crate) fn grant_to_cognito(&self) {
        let grant = json!({
            "KeyId": self.output("KeyArn"),
            "GranteePrincipal": "cognito-idp.amazonaws.com",
            "Operations": ["GenerateDataKey", "Encrypt"],
            "Constraints": { "EncryptionContextSubset": { "userpool-id": self.pool } },
        });
        self.cloud.call("kms", "create_grant", &grant);
    }

    pub(crate) fn recover_by(&self, ways: &[&str]) {
        let ways = ways.iter().zip(1..).map(|(name, priority)| json!({ "Name": name, "Priority": priority }));
        let ways: Vec<_> = ways.collect();
        self.update_pool(&json!({ "AccountRecoverySetting": { "RecoveryMechanisms": ways } }));
    }

    pub(crate) fn session_minutes(&self, minutes: u64) {
        let update = json!({ "UserPoolId": self.pool, "ClientId": self.client, "AuthSessionValidity": minutes });
        self.cloud.call("cognito-idp", "update_user_pool_client", &update);
    }

    pub(crate) fn take_invoke_right(&self) {
        let name = json!({ "FunctionName": self.resource("Producer") });
        let policy = self.cloud.call("lambda", "get_policy", &name);
        let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
        for statement in policy["Statement"].as_array().unwrap() {
            let remove = json!({ "FunctionName": self.resource("Producer"), "StatementId": statement["Sid"] });
            self.cloud.call("lambda", "remove_permission", &remove);
        }
    }

    /// Gives Cognito the right to invoke the producer, with these conditions.
    pub(crate) fn give_invoke_right(&self, conditions: &Value) {
        let mut add = conditions.clone();
        for (name, value) in [
            ("FunctionName", self.resource("Producer")),
            ("StatementId", "anybody"),
            ("Action", "lambda:InvokeFunction"),
            ("Principal", "cognito-idp.amazonaws.com"),
        ] {
            add[name] = json!(value);
        }
        self.cloud.call("lambda", "add_permission", &add);
    }

    pub(crate) fn reserve(&self, function: &str, concurrency: u64) {
        let put = json!({ "FunctionName": self.resource(function), "ReservedConcurrentExecutions": concurrency });
        self.cloud.call("lambda", "put_function_concurrency", &put);
    }

    /// The producer's settings for asynchronous invocation, with the stack's queue for what fails or without.
    pub(crate) fn invoke_later(&self, retries: u64, most_age_seconds: u64, keeps_what_fails: bool) {
        let mut put = json!({
            "FunctionName": self.resource("Producer"),
            "MaximumRetryAttempts": retries,
            "MaximumEventAgeInSeconds": most_age_seconds,
        });
        if keeps_what_fails {
            let destination = json!({ "Destination": self.queue_arn("FailedInvocationsQueueUrl") });
            put["DestinationConfig"] = json!({ "OnFailure": destination });
        }
        self.cloud.call("lambda", "put_function_event_invoke_config", &put);
    }

    pub(crate) fn forget_invoke_later(&self) {
        let function = json!({ "FunctionName": self.resource("Producer") });
        self.cloud.call("lambda", "delete_function_event_invoke_config", &function);
    }

    /// Has what the producer fails on go to another queue of the account.
    pub(crate) fn fail_to(&self, queue: &str) {
        let own = self.queue_arn("FailedInvocationsQueueUrl");
        let (beginning, _) = own.rsplit_once(':').unwrap();
        let put = json!({
            "FunctionName": self.resource("Producer"),
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 180,
            "DestinationConfig": { "OnFailure": { "Destination": format!("{beginning}:{queue}") } },
        });
        self.cloud.call("lambda", "put_function_event_invoke_config", &put);
    }

    pub(crate) fn queue_arn(&self, output: &str) -> String {
        let name = self.output(output).rsplit('/').next().unwrap();
        format!("arn:aws:sqs:{}:{}:{name}", REGION, self.cloud.account)
    }

    pub(crate) fn redrive_to(&self, output: &str, max_receive_count: u64) {
        let policy = json!({ "deadLetterTargetArn": self.queue_arn(output), "maxReceiveCount": max_receive_count });
        self.set_queue("QueueUrl", &json!({ "RedrivePolicy": policy.to_string() }));
    }

    /// A second mapping from the queue, to the producer.
    pub(crate) fn map_twice(&self) {
        let source = self.queue_arn("QueueUrl");
        let create = json!({ "EventSourceArn": source, "FunctionName": self.resource("Producer"), "BatchSize": 10 });
        self.cloud.call("lambda", "create_event_source_mapping", &create);
    }

    pub(crate) fn map_once(&self) {
        let list = json!({ "FunctionName": self.resource("Producer") });
        let listed = self.cloud.call("lambda", "list_event_source_mappings", &list);
        let delete = json!({ "UUID": listed["EventSourceMappings"][0]["UUID"] });
        self.cloud.call("lambda", "delete_event_source_mapping", &delete);
    }

    pub(crate) fn right_table(&self) {
        self.set_variables("Worker", &[("STATE_TABLE", Some(self.output("StateTable")))]);
    }

    /// A table with another key than ours.
    pub(crate) fn make_table(&self, name: &str) {
        let create = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        });
        self.cloud.call("dynamodb", "create_table", &create);
    }

    pub(crate) fn time_to_live(&self, is_on: bool, attribute: &str) {
        let specification = json!({ "Enabled": is_on, "AttributeName": attribute });
        let update = json!({ "TableName": self.output("StateTable"), "TimeToLiveSpecification": specification });
        self.cloud.call("dynamodb", "update_time_to_live", &update);
    }
}
