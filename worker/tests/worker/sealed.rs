//! Sealed codes as Cognito makes them, written by hand: format version 1 of the AWS Encryption SDK
//! (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html>). What only a key
//! could check (wrapped key, tags, ciphertext, signature) is filler, since opening is a double here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The key that wraps the codes of these tests.
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";
/// The pool that they are sealed for.
pub(crate) const POOL: &str = "eu-west-1_EXAMPLE01";

pub(crate) struct Seal {
    pub(crate) suite: u16,
    pub(crate) id: [u8; 16],
    pub(crate) pool: Option<&'static str>,
    pub(crate) key: &'static str,
}

impl Seal {
    /// The n-th code: Cognito's suite, this pool, this key.
    pub(crate) fn nth(n: u32) -> Self {
        let id = [n.to_be_bytes(); 4].concat().try_into().expect("four times four bytes");
        Self { suite: 0x0378, id, pool: Some(POOL), key: KEY }
    }

    /// The message id as the queue message spells it.
    pub(crate) fn id(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The `code` of a Cognito event.
    pub(crate) fn to_base64(&self) -> String {
        STANDARD.encode(self.to_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Each code is signed with a key of its own: what KMS is told of it differs from code to code.
        let public_key = self.id();
        let mut context = vec![("aws-crypto-public-key", public_key.as_str())];
        context.extend(self.pool.map(|pool| ("userpool-id", pool)));
        let mut pairs = two_bytes(context.len()).to_vec();
        for (key, value) in context {
            pairs.extend(counted(key.as_bytes()));
            pairs.extend(counted(value.as_bytes()));
        }
        [
            &[1, 0x80][..],
            &self.suite.to_be_bytes(),
            &self.id,
            &counted(&pairs),
            &two_bytes(1),
            &counted(b"aws-kms"),
            &counted(self.key.as_bytes()),
            &counted(&[0xED; 184]),
            &[2, 0, 0, 0, 0, 12],
            &4096u32.to_be_bytes(),
            &[0; 12 + 16],
            &u32::MAX.to_be_bytes(),
            &1u32.to_be_bytes(),
            &[0; 12],
            &6u32.to_be_bytes(),
            &[0xC0; 6 + 16],
            &counted(&[0x51; 103]),
        ]
        .concat()
    }
}

pub(crate) fn two_bytes(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("short").to_be_bytes()
}

pub(crate) fn counted(bytes: &[u8]) -> Vec<u8> {
    [&two_bytes(bytes.len())[..], bytes].concat()
}

#[test]
fn a_code_written_here_is_one_that_the_worker_accepts() {
    let pool = shared::UserPoolId::parse(POOL).expect("a pool id");
    let code = shared::SealedCode::parse(&Seal::nth(7).to_base64()).expect("a sealed code");
    assert_eq!(code.check(&pool, &shared::Trust::default()), Ok(()));
    assert_eq!(code.message_id().as_str(), Seal::nth(7).id());
    assert_eq!(code.key_arns().map(|arn| arn.to_string()).collect::<Vec<_>>(), [KEY]);
}
