//! The codes of the messages: written by hand and opened by a double, or really sealed and really opened.

use secrecy::{SecretBox, SecretString};
use shared::{SealedCode, TriggerSource};
use worker::{OpenCode, OpenFailure};

use crate::draws::Draws;
use crate::plan::{Kind, PlannedMessage};
use crate::sealed::{KEY, Seal};

/// Where the codes of a history come from, and what opens them.
pub(crate) struct Codes {
    pub(crate) open: OpenCode,
    /// None where every code is written by hand.
    corpus: Vec<Code>,
}

/// One message's code.
#[derive(Clone)]
pub(crate) struct Code {
    /// The message id, as the body spells it.
    pub(crate) id: String,
    /// None for a message without a code.
    pub(crate) sealed: Option<String>,
    /// What the phone must get of it.
    pub(crate) clear: String,
    /// Its signature's key, by which KMS recognises it.
    pub(crate) public_key: String,
    pub(crate) data_key: [u8; 32],
}

const FOREIGN_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000";

impl Codes {
    pub(crate) fn by_hand() -> Self {
        Self { open, corpus: Vec::new() }
    }

    /// The test that has such codes, as cargo's arguments name it.
    pub(crate) fn test(&self) -> &'static str {
        if self.corpus.is_empty() {
            "--no-default-features --test simulation no_history_violates"
        } else {
            "--test simulation really_sealed"
        }
    }

    /// How many messages can have a code of their own.
    pub(crate) fn most_messages(&self) -> usize {
        if self.corpus.is_empty() { usize::MAX } else { self.corpus.len() }
    }

    /// Whether codes can be made that do not open in this way.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        let by_double = [Kind::ForeignKey, Kind::OpensToNothing, Kind::OpeningFails];
        self.corpus.is_empty() || !by_double.contains(&kind)
    }

    pub(crate) fn of(&self, seed: u64, message: &PlannedMessage) -> Code {
        let draws = Draws::of_seed(seed).of("message id").nth(u64::from(message.number));
        if !has_code(message) {
            let id = format!("{:064x}", u128::from(draws.number()) << 64 | u128::from(message.number));
            let clear = "account".to_owned();
            return Code { id, sealed: None, clear, public_key: String::new(), data_key: [0; 32] };
        }
        match self.corpus.get(message.number as usize) {
            Some(code) if message.kind == Kind::NeverOpens => tampered(code),
            Some(code) => code.clone(),
            None => by_hand(draws, message),
        }
    }
}

/// Whether the message carries a code.
fn has_code(message: &PlannedMessage) -> bool {
    message.kind != Kind::WithoutCode && message.source != TriggerSource::AccountTakeOverNotification
}

fn by_hand(draws: Draws, message: &PlannedMessage) -> Code {
    let openings = [(Kind::NeverOpens, b'n'), (Kind::OpensToNothing, b'e'), (Kind::OpeningFails, b'f')];
    let opening = openings.iter().find(|(kind, _)| *kind == message.kind).map_or(b'o', |(_, opening)| *opening);
    let mut id = [opening; 16];
    id[..8].copy_from_slice(&draws.number().to_be_bytes());
    id[8..12].copy_from_slice(&message.number.to_be_bytes());
    let key = if message.kind == Kind::ForeignKey { FOREIGN_KEY } else { KEY };
    let seal = Seal { id, key, ..Seal::nth(0) };
    let id = seal.id();
    let (clear, sealed) = (code_in(&id), Some(seal.to_base64()));
    Code { public_key: id.clone(), id, sealed, clear, data_key: [7; 32] }
}

/// The code inside a code that was written by hand: six digits made of its message id, and not part of it.
fn code_in(id: &str) -> String {
    let mixed = Draws::of_seed(7).of(id).number();
    format!("{:06}", mixed % 1_000_000)
}

/// The double that opens codes written by hand; the last digits of the message id say how.
fn open(code: &SealedCode, _: &SecretBox<[u8; 32]>) -> Result<SecretString, OpenFailure> {
    let id = code.message_id().as_str();
    match &id[30..] {
        "6e" => Err(OpenFailure::Undecryptable("the code is not authentic".to_owned())),
        "65" => Ok("".into()),
        "66" => Err(OpenFailure::Fault("the library failed".to_owned())),
        _ => Ok(code_in(id).into()),
    }
}

/// The same code with another signature.
fn tampered(code: &Code) -> Code {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let sealed = code.sealed.as_ref().and_then(|sealed| STANDARD.decode(sealed).ok()).map(|mut bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        STANDARD.encode(bytes)
    });
    Code { sealed, ..code.clone() }
}

#[cfg(feature = "esdk")]
mod corpus {
    //! What the Encryption SDKs of three languages sealed.

    use shared::SealedCode;

    use super::{Code, Codes};
    use crate::fixtures::{self, Maker, makers};
    use crate::sealed::KEY;

    impl Codes {
        pub(crate) fn of_corpus() -> Self {
            let corpus = makers().iter().flat_map(usable).collect();
            Self { open: worker::open_with_esdk, corpus }
        }
    }

    /// Those that the worker accepts as it is configured here.
    fn usable(maker: &Maker) -> Vec<Code> {
        assert_eq!(maker.key_arn, KEY, "all histories have one key");
        maker.codes.iter().filter_map(|code| read(code, maker.data_key())).collect()
    }

    fn read(code: &fixtures::Code, data_key: [u8; 32]) -> Option<Code> {
        let (suite, pool) = (code.suite.as_str(), code.context.get("userpool-id")?);
        if suite != "0x0378" || pool != crate::sealed::POOL || code.clear.contains('&') {
            return None;
        }
        let parsed = SealedCode::parse(&code.sealed).ok()?;
        let context = &parsed.message().encryption_context;
        let (_, public_key) = context.iter().find(|(name, _)| name == "aws-crypto-public-key")?;
        let (id, sealed) = (parsed.message_id().to_string(), Some(code.sealed.clone()));
        Some(Code { id, sealed, clear: code.clear.clone(), public_key: public_key.clone(), data_key })
    }
}
