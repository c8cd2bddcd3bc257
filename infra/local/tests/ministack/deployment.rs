//! Producer and worker as they are deployed: a package with the binary and its configuration, the environment, and
//! the event source mapping.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use witnesses::{lambda_binaries, python};

use crate::functions::Invoked;
use crate::world::{ACCOUNT_SID, AUTH_TOKEN, World};

pub(crate) const PRODUCER: &str = "sealpost-producer";
pub(crate) const WORKER: &str = "sealpost-worker";
const PRODUCER_TIMEOUT: u64 = 5;

/// Not compressed, which would take longer than everything else.
const ZIP: &str = "
import zipfile
with zipfile.ZipFile('package.zip', 'w') as package:
    package.write('bootstrap')
    package.write('sealpost.toml')
";

impl World {
    pub(crate) async fn deploy_producer(&self) {
        let environment = json!({ "QUEUE_URL": self.queue_url, "USER_POOL_IDS": self.pool.as_str() });
        let package = self.package("producer", "");
        self.lambda.create(PRODUCER, &package, PRODUCER_TIMEOUT, &environment).await;
    }

    /// The worker, attached to the queue. From now on messages are taken.
    pub(crate) async fn deploy_worker(&self) {
        self.deploy_worker_with(json!({})).await;
    }

    /// The worker with more in its environment, or less: null takes a variable away.
    pub(crate) async fn deploy_worker_with(&self, changes: Value) {
        let mut environment = json!({
            "QUEUE_URL": self.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
            "USER_POOL_IDS": self.pool.as_str(),
            "KMS_KEY_ARNS": self.key.as_str(),
            "TRUSTED_SENDER_IDS": self.account,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        });
        let variables = environment.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                variables.remove(name);
            } else {
                variables.insert(name.clone(), value.clone());
            }
        }
        let package = self.package("worker", &self.configuration());
        self.lambda.create(WORKER, &package, self.timing.function_timeout, &environment).await;
        self.lambda.map(&self.queue_arn(), WORKER).await;
    }

    /// France has a provider of its own, so that one record of a batch can fare otherwise than the others.
    fn configuration(&self) -> String {
        let provider = |name: &str, base_url: String| {
            format!(
                "[[provider]]\nname = \"{name}\"\nkind = \"twilio\"\nbase_url = \"{base_url}\"\nfrom = \"+12065550199\"\n\
                 account_sid = \"{ACCOUNT_SID}\"\nauth_token = \"${{env:TWILIO_AUTH_TOKEN}}\"\n"
            )
        };
        let (main, french) = (self.phones.base_url(), self.french_phones.base_url());
        provider("twilio-main", main)
            + &provider("twilio-fr", french)
            + "[route]\ndefault = [\"twilio-main\"]\n[route.country]\nFR = [\"twilio-fr\"]\n[texts]\nbrand = \"Example\"\n\
               [limits]\nper_number = \"off\"\n"
    }

    /// A zip with the binary as `bootstrap` and its configuration beside it.
    fn package(&self, name: &'static str, configuration: &str) -> Vec<u8> {
        let folder: PathBuf = self.stack.folder().join("packages").join(&self.account).join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(lambda_binaries().join(name), folder.join("bootstrap")).unwrap();
        fs::write(folder.join("sealpost.toml"), configuration).unwrap();
        let mut zip = python().unwrap().command();
        assert!(zip.args(["-c", ZIP]).current_dir(&folder).status().unwrap().success());
        let package = fs::read(folder.join("package.zip")).unwrap();
        fs::remove_dir_all(folder).unwrap();
        package
    }

    /// Puts an event into the queue by way of the producer.
    pub(crate) async fn accept(&self, event: &Value) {
        let invoked = self.lambda.invoke(PRODUCER, event).await;
        assert!(matches!(invoked, Invoked { status: 200, function_error: None, .. }), "{invoked:?}");
    }
}
