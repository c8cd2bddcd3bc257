//! A worker with the real decryption, between a KMS and a provider that are doubles.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretBox;
use serde_json::{Value, json};
use shared::{DeadLetterReason, EsdkMessage, KeyArn, SealedCode};
use worker::{KeyError, KeyService, WrappedDataKey, open_with_esdk};

use super::fixtures::{Code, Maker};
use crate::doubles::Letter;
use crate::messages::{message, record_of_text};
use crate::provider_double::{ScriptedProvider, accepts};
use crate::scene::Scene;

/// Which step of the worker refused a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The text is not base64.
    Base64,
    /// The bytes have not the layout of a message.
    Layout,
    /// The body has another id than the message.
    Id,
    Suite,
    Pool,
    /// No data key is wrapped by a key of ours.
    NoKey,
    /// KMS unwraps no such data key.
    Kms,
    /// The library refused the header before it had a data key.
    Header,
    /// Header, body or signature does not verify with the data key.
    Opening,
}

impl Step {
    fn of(letter: &Letter) -> Self {
        let Letter { reason, detail, .. } = letter;
        let steps = [
            (DeadLetterReason::Malformed, "the code is not base64", Self::Base64),
            (DeadLetterReason::Malformed, "the code is not an AWS Encryption SDK message", Self::Layout),
            (
                DeadLetterReason::Malformed,
                "the body's id is not that of its sealed code, or of a message without one",
                Self::Id,
            ),
            (DeadLetterReason::Undecryptable, "the code uses algorithm suite", Self::Suite),
            (DeadLetterReason::WrongUserPool, "the code was sealed for another user pool", Self::Pool),
            (DeadLetterReason::WrongUserPool, "the code's encryption context names no userpool-id", Self::Pool),
            (DeadLetterReason::Undecryptable, "no data key of the code was wrapped by a key of", Self::NoKey),
            (DeadLetterReason::Undecryptable, "KMS cannot decrypt it: InvalidCiphertextException", Self::Kms),
            (DeadLetterReason::Undecryptable, "the encryption library refused the code's header", Self::Header),
            (DeadLetterReason::Undecryptable, "the code is not authentic", Self::Opening),
        ];
        let step = steps.iter().find(|(of, says, _)| of == reason && detail.contains(says));
        step.unwrap_or_else(|| panic!("dead-lettered as {reason}: {detail}")).2
    }
}

/// Which KMS the worker asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kms {
    /// Unwraps what it wrapped, for the key and the context for which it did.
    Faithful,
    /// Answers whatever it is asked with the true data key of the code.
    Credulous,
}

struct FaithfulKms(Vec<(WrappedDataKey, [u8; 32])>);

#[async_trait]
impl KeyService for FaithfulKms {
    async fn unwrap(&self, wrapped: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        let known = self.0.iter().find(|(known, _)| known == wrapped);
        let (_, data_key) = known.ok_or(KeyError::Invalid { code: "InvalidCiphertextException".to_owned() })?;
        Ok(SecretBox::new(Box::new(*data_key)))
    }
}

struct CredulousKms([u8; 32]);

#[async_trait]
impl KeyService for CredulousKms {
    async fn unwrap(&self, _: &WrappedDataKey) -> Result<SecretBox<[u8; 32]>, KeyError> {
        Ok(SecretBox::new(Box::new(self.0)))
    }
}

/// All that KMS ever wrapped for a maker.
fn wrapped_by(maker: &Maker) -> FaithfulKms {
    let wrapped = maker.codes.iter().flat_map(|code| {
        let sealed = SealedCode::parse(&code.sealed).expect("a sealed code");
        let EsdkMessage { encrypted_data_keys, encryption_context, .. } = sealed.message().clone();
        let context: HashMap<_, _> = encryption_context.into_iter().collect();
        encrypted_data_keys.into_iter().map(move |key| WrappedDataKey {
            key: KeyArn::parse(str::from_utf8(&key.provider_info).expect("UTF-8")).expect("a key ARN"),
            ciphertext: key.ciphertext,
            context: context.clone(),
        })
    });
    FaithfulKms(wrapped.map(|wrapped| (wrapped, maker.data_key())).collect())
}

/// A worker to which changed forms of one code are handed.
pub(crate) struct Bench {
    pub(crate) scene: Scene,
    source: &'static str,
    sealed: String,
    clear: String,
}

impl Bench {
    /// For a code as it was sealed, with the trust that it needs and no more.
    pub(crate) fn of(maker: &Maker, code: &Code, kms: Kms) -> Self {
        let is_committed = bytes(code)[0] == 2;
        let trust = format!(
            "[trust]\nallow_committed_suites = {is_committed}\nallow_missing_pool = {}\n",
            !code.context.contains_key("userpool-id")
        );
        let mut scene = Scene::configured(&trust, [ScriptedProvider::named("first", [accepts()])]);
        scene.change(|worker| {
            worker.open = open_with_esdk;
            worker.keys = match kms {
                Kms::Faithful => Arc::new(wrapped_by(maker)),
                Kms::Credulous => Arc::new(CredulousKms(maker.data_key())),
            };
        });
        let is_password = !code.clear.bytes().all(|byte| byte.is_ascii_digit());
        let source = if is_password { "AdminCreateUser" } else { "Authentication" };
        Self { scene, source, sealed: code.sealed.clone(), clear: code.clear.clone() }
    }

    /// Hands the worker changed messages, each with its own id in the body, and tells which step refused each. None of
    /// them may reach the provider, or stay in the queue, or be said to have been decrypted; and then the code itself,
    /// as it was sealed, must arrive.
    pub(crate) async fn refuses(&self, changed: &[Vec<u8>]) -> Vec<Step> {
        self.refuses_bodies(&changed.iter().map(|message| self.body(&STANDARD.encode(message))).collect::<Vec<_>>())
            .await
    }

    /// The same for any bodies.
    pub(crate) async fn refuses_bodies(&self, changed: &[Value]) -> Vec<Step> {
        let bodies: Vec<_> = changed.iter().map(Value::to_string).collect();
        self.receive(&bodies).await;
        assert_eq!(self.scene.requests(), [0], "the provider was asked");
        assert!(self.scene.facts.of("decrypted").is_empty(), "a changed code was opened");
        assert!(!self.scene.facts.shown().contains(&self.clear), "the clear code was shown");
        let letters: HashMap<_, _> =
            self.scene.queue.letters().into_iter().map(|letter| (letter.body.clone(), letter)).collect();
        let steps = bodies.iter().map(|body| Step::of(letters.get(body).expect("a dead letter"))).collect();
        self.delivers(&self.body(&self.sealed)).await;
        steps
    }

    /// Hands the worker a body whose clear code must arrive.
    pub(crate) async fn delivers(&self, body: &Value) {
        let before = self.scene.requests()[0];
        self.receive(&[body.to_string()]).await;
        assert_eq!(self.scene.requests(), [before + 1], "{:?}", self.scene.queue.letters().last());
        // Cognito escapes temporary passwords for HTML; people get them unescaped.
        let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        let clear =
            escapes.iter().fold(self.clear.clone(), |text, (escape, character)| text.replace(escape, character));
        let texts = self.scene.providers[0].texts();
        assert!(texts.last().is_some_and(|text| text.contains(&clear)), "the provider got another text");
    }

    async fn receive(&self, bodies: &[String]) {
        let records: Vec<_> = (0..).zip(bodies).map(|(n, body)| record_of_text(n, body)).collect();
        assert_eq!(self.scene.receive(&records).await, [""; 0], "all are settled");
    }

    /// A queue message with this code, and the id that the code has or, where it cannot be read, had.
    pub(crate) fn body(&self, sealed: &str) -> Value {
        let id = |text| SealedCode::parse(text).map(|code| code.message_id().to_string());
        let mut body = message(0, self.source);
        body["id"] = json!(id(sealed).or_else(|_| id(&self.sealed)).expect("a sealed code"));
        body["event"]["request"]["code"] = json!(sealed);
        body
    }
}

/// The message of a code.
pub(crate) fn bytes(code: &Code) -> Vec<u8> {
    STANDARD.decode(&code.sealed).expect("base64")
}
