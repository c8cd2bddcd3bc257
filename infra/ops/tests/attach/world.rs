//! A strict Cognito, a Lambda with policies and a KMS, and the tool beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use local::aws::{EmbeddedAws, Service, Settings};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::api::Api;
use crate::cognito::{Messages, UserPools};
use crate::functions::Functions;
use crate::generator::Pool;
use crate::snapshot::Snapshot;
use crate::tool::{Said, Tool};

/// What is attached.
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:sealpost-producer";

pub(crate) struct World {
    pub(crate) pools: Arc<UserPools>,
    pub(crate) functions: Functions,
    pub(crate) api: Api,
    pub(crate) tool: Tool,
    /// What is attached with.
    pub(crate) key: String,
    pub(crate) aws: EmbeddedAws,
    _runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Messages::AsMeasured)
    }

    pub(crate) fn with(messages: Messages) -> Self {
        let runtime = Runtime::new().expect("threads");
        let _within = runtime.enter();
        let pools = Arc::new(UserPools::new(messages));
        let service = Arc::clone(&pools) as Arc<dyn Service>;
        let services = BTreeMap::from([("AWSCognitoIdentityProviderService".to_owned(), service)]);
        let settings = Settings { services, ..Settings::default() };
        let aws = EmbeddedAws::start_with(([127, 0, 0, 1], 0).into(), settings).expect("a free port");
        let functions = runtime.block_on(Functions::start());
        functions.create(FUNCTION);
        let tool = Tool::at(&aws.endpoint()).with("AWS_ENDPOINT_URL_LAMBDA", &functions.endpoint());
        let api = Api::at(&aws.endpoint());
        let key = api.create_key();
        Self { pools, functions, api, tool, key, aws, _runtime: runtime }
    }

    /// Makes a pool and says its id.
    pub(crate) fn create(&self, pool: &Pool) -> String {
        create(&self.api, &pool.sharing(&self.key))
    }

    /// Makes a pool that is as Cognito makes one when nothing is said, but for this.
    pub(crate) fn create_with(&self, mut settings: Value) -> String {
        settings["PoolName"] = json!("customers");
        self.create(&Pool { creation: settings, second_factors: None })
    }

    pub(crate) fn snapshot(&self, id: &str) -> Snapshot {
        Snapshot::of(&self.api, id)
    }

    pub(crate) fn attach(&self, id: &str, further: &[&str]) -> Said {
        let arguments = ["attach", "--user-pool-id", id, "--function", FUNCTION, "--key", &self.key];
        self.tool.run(&[&arguments, further].concat())
    }

    pub(crate) fn detach(&self, id: &str, further: &[&str]) -> Said {
        self.tool.run(&[&["detach", "--user-pool-id", id], further].concat())
    }
}

/// Makes a pool on any Cognito and says its id.
pub(crate) fn create(api: &Api, pool: &Pool) -> String {
    let created =
        api.pools("CreateUserPool", &pool.creation).unwrap_or_else(|refused| panic!("{refused:?}: {pool:#?}"));
    let id = created["UserPool"]["Id"].as_str().expect("an id").to_owned();
    if let Some(factors) = &pool.second_factors {
        let mut request = factors.clone();
        request["UserPoolId"] = json!(id);
        api.pools("SetUserPoolMfaConfig", &request).unwrap_or_else(|refused| panic!("{refused:?}: {pool:#?}"));
    }
    id
}
