//! Seals, with our own `seal`, those cases that it can make. At the root of the workspace:
//!
//! ```sh
//! cargo run -q -p esdk --features seal --example seal_fixtures > worker/esdk/tests/fixtures/sealpost.json
//! ```

#![allow(clippy::print_stdout, reason = "its output is the fixture")]

use std::convert::Infallible;
use std::error::Error;

use esdk::{SealOptions, WrappedDataKey, seal_with};
use secrecy::{SecretBox, SecretString};
use serde_json::{Value, json};
use shared::{KeyArn, POOL_CONTEXT_KEY, UserPoolId};

const CASES: &str = include_str!("../../../infra/witnesses/ciphertexts/cases.json");
const KEY_ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/8a23102c-9b68-4fed-82ce-523c5363539e";
const POOL: &str = "eu-west-1_EXAMPLE01";

fn main() -> Result<(), Box<dyn Error>> {
    // One key for all: what is spliced together from two codes cannot be told by its key then.
    let data_key: [u8; 32] = std::array::from_fn(|at| fixture_byte(0, at));
    let cases: Vec<Value> = serde_json::from_str(CASES)?;
    let mut codes = Vec::new();
    for (number, mut case) in cases.into_iter().enumerate() {
        if let Some(options) = options(&case) {
            case["sealed"] = json!(seal(options, &case, number, data_key)?);
            codes.push(case);
        }
    }
    let fixture = json!({
        "implementation": "esdk::seal of this workspace (Rust)",
        "key_arn": KEY_ARN,
        "data_key": data_key.map(|byte| format!("{byte:02x}")).concat(),
        "codes": codes,
    });
    println!("{fixture:#}");
    Ok(())
}

/// None where `seal` has no such option.
fn options(case: &Value) -> Option<SealOptions> {
    let committed_suite = match case["suite"].as_str()? {
        "0x0378" => false,
        "0x0578" => true,
        _ => return None,
    };
    let context = case["context"].as_object()?;
    let without_pool = context.is_empty();
    let is_usual = case["frame_length"] == 4096
        && case["wrapped_key_lengths"].as_array()?.len() == 1
        && (without_pool || (context.len() == 1 && context.get(POOL_CONTEXT_KEY)? == POOL));
    is_usual.then_some(SealOptions { committed_suite, without_pool })
}

fn seal(options: SealOptions, case: &Value, number: usize, data_key: [u8; 32]) -> Result<String, Box<dyn Error>> {
    let clear = SecretString::from(case["clear"].as_str().ok_or("clear is not a text")?);
    let length = case["wrapped_key_lengths"][0].as_u64().ok_or("no length of the wrapped key")?;
    let ciphertext = (0..usize::try_from(length)?).map(|at| fixture_byte(number + 1, at)).collect();
    let wrapped = WrappedDataKey { plaintext: SecretBox::new(Box::new(data_key)), ciphertext };
    let (pool, key_arn) = (UserPoolId::parse(POOL)?, KeyArn::parse(KEY_ARN)?);
    Ok(seal_with(options, &clear, &pool, &key_arn, |_| Ok::<_, Infallible>(wrapped))?)
}

/// Filler that looks random and differs from case to case.
fn fixture_byte(case: usize, at: usize) -> u8 {
    let mixed = (case * 257 + at + 1).wrapping_mul(2_654_435_761);
    mixed.to_be_bytes()[5]
}
