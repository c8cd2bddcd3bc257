//! The two Cognitos, each with a Lambda and a KMS, and what is known of their ways.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use witnesses::{MiniStack, Missing, Moto, moto, python};

use crate::api::Api;
use crate::generator::Pool;
use crate::tool::Tool;

const REGION: &str = "eu-west-1";

/// What a stand-in does otherwise than AWS, as far as it matters here.
#[derive(Clone, Copy)]
pub(crate) struct Which {
    pub(crate) name: &'static str,
    start: fn() -> Result<Started, Missing>,
    /// What it does not keep of a CreateUserPool.
    pub(crate) forgets: &'static [&'static str],
    /// What it loses at every update, whatever is sent.
    pub(crate) loses: &'static [&'static str],
    /// Whether it resets what an update leaves out, as AWS does.
    pub(crate) resets: bool,
    /// Whether it describes second factors in DescribeUserPool, which AWS's Cognito does not: the tool stops at members
    /// that it does not know, so pools with such factors cannot be attached here.
    pub(crate) describes_second_factors: bool,
    /// Whether it keeps e-mail as a second factor, and passkeys. Where it does not, they are not among what survives.
    pub(crate) keeps_every_factor: bool,
}

/// The older name of a validity that is not told when the newer one is set.
const OLDER_NAME: &str = "AdminCreateUserConfig.UnusedAccountValidityDays";

pub(crate) const MINISTACK: Which = Which {
    name: "ministack",
    start: || Ok(Started::MiniStack(MiniStack::start(python()?, REGION).unwrap_or_else(|error| panic!("{error}")))),
    forgets: &["AcrConfiguration", "DcrConfiguration", "IssuerConfiguration", "KeyConfiguration"],
    loses: &[OLDER_NAME],
    resets: false,
    describes_second_factors: true,
    keeps_every_factor: true,
};

pub(crate) const MINISTACK_WITH_IAM: Which = Which {
    name: "ministack_with_iam",
    start: || {
        let stack = MiniStack::start_with_iam(python()?, REGION);
        Ok(Started::MiniStack(stack.unwrap_or_else(|error| panic!("{error}"))))
    },
    ..MINISTACK
};

pub(crate) const MOTO: Which = Which {
    name: "moto",
    start: || Ok(Started::Moto(Moto::start(moto()?).unwrap_or_else(|error| panic!("{error}")))),
    forgets: &[],
    loses: &[OLDER_NAME, "AliasAttributes", "DcrConfiguration", "UsernameAttributes", "UsernameConfiguration"],
    resets: true,
    describes_second_factors: false,
    keeps_every_factor: false,
};

enum Started {
    MiniStack(MiniStack),
    Moto(Moto),
}

/// A running stand-in with a function and a key.
pub(crate) struct Cloud {
    pub(crate) which: Which,
    pub(crate) api: Api,
    pub(crate) endpoint: String,
    /// What is attached.
    pub(crate) function: String,
    /// An alias of it.
    pub(crate) alias: String,
    pub(crate) key: String,
    _started: Started,
}

impl Which {
    /// One for all trials.
    pub(crate) fn cloud(self) -> Result<&'static Cloud, Missing> {
        static CLOUDS: Mutex<BTreeMap<&str, &Cloud>> = Mutex::new(BTreeMap::new());
        let mut clouds = CLOUDS.lock().unwrap();
        if let Some(cloud) = clouds.get(self.name) {
            return Ok(cloud);
        }
        let cloud: &Cloud = Box::leak(Box::new(Cloud::start(self)?));
        clouds.insert(self.name, cloud);
        Ok(cloud)
    }

    /// A pool as this stand-in can keep it, or none.
    pub(crate) fn can_keep(self, mut pool: Pool) -> Option<Pool> {
        if self.describes_second_factors && pool.second_factors.is_some() {
            return None;
        }
        let has_usual_factor = |factors: &Value| {
            ["SmsMfaConfiguration", "SoftwareTokenMfaConfiguration"].iter().any(|factor| !factors[factor].is_null())
        };
        if !self.keeps_every_factor && pool.second_factors.as_ref().is_some_and(|it| !has_usual_factor(it)) {
            pool.second_factors = None;
        }
        if let Some(creation) = pool.creation.as_object_mut() {
            creation.retain(|name, _| !self.forgets.contains(&name.as_str()) && !self.loses.contains(&name.as_str()));
            // AWS fills in what is not said, and describes nothing that is empty.
            creation.retain(|_, setting| says_something(setting));
        }
        // So there is something left without the older name of a validity.
        if let Some(Value::Object(invitations)) = pool.creation.get_mut("AdminCreateUserConfig") {
            invitations.entry("AllowAdminCreateUserOnly").or_insert(json!(false));
        }
        Some(pool)
    }
}

impl Cloud {
    fn start(which: Which) -> Result<Self, Missing> {
        const FUNCTION: &str = "
import boto3, sys
def client(service):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name=sys.argv[2],
                        aws_access_key_id=sys.argv[3], aws_secret_access_key='test')
role = client('iam').create_role(RoleName='producer', AssumeRolePolicyDocument='{}')['Role']['Arn']
empty = b'PK\\x05\\x06' + bytes(18)
functions = client('lambda')
print(functions.create_function(FunctionName='producer', Runtime='provided.al2023', Handler='bootstrap',
                                Role=role, Code={'ZipFile': empty})['FunctionArn'])
functions.publish_version(FunctionName='producer')
print(functions.create_alias(FunctionName='producer', Name='live', FunctionVersion='1')['AliasArn'])";
        let started = (which.start)()?;
        let endpoint = match &started {
            Started::MiniStack(stack) => stack.endpoint(),
            Started::Moto(moto) => moto.endpoint(),
        };
        let output = python()?.command().args(["-c", FUNCTION, &endpoint, REGION, Moto::ACCOUNT]).output().unwrap();
        let made = String::from_utf8(output.stdout).unwrap();
        let [function, alias] = made.lines().collect::<Vec<_>>()[..] else {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        };
        let (function, alias, api) = (function.to_owned(), alias.to_owned(), Api::at(&endpoint));
        let key = api.create_key();
        Ok(Self { which, api, endpoint, function, alias, key, _started: started })
    }

    /// The tool, with a folder of its own.
    pub(crate) fn tool(&self) -> Tool {
        Tool::at(&self.endpoint)
    }

    /// Makes a pool and says its id.
    pub(crate) fn create(&self, pool: &Pool) -> String {
        let pool = pool.sharing(&self.key);
        let created = self.api.pools("CreateUserPool", &pool.creation).unwrap();
        let id = created["UserPool"]["Id"].as_str().unwrap().to_owned();
        if let Some(factors) = &pool.second_factors {
            let mut request = factors.clone();
            request["UserPoolId"] = json!(id);
            self.api.pools("SetUserPoolMfaConfig", &request).unwrap();
        }
        id
    }

    /// How attaching begins.
    pub(crate) fn attach<'a>(&'a self, id: &'a str, function: &'a str) -> Vec<&'a str> {
        vec!["attach", "--user-pool-id", id, "--function", function, "--key", &self.key, "--yes"]
    }
}

fn says_something(setting: &Value) -> bool {
    setting.as_object().is_none_or(|members| members.values().any(says_something))
}
