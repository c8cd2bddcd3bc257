//! The undo file: an `UpdateUserPool` request that leaves the pool as it was, for this tool and for the AWS CLI.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use shared::{Timestamp, UserPoolId};

use crate::private_file::{file_name, new_file};
use crate::user_pool::{Trigger, UpdateRequest};

/// More than the largest pool has: two e-mail texts of 20,000 characters are the most of it.
const MOST_BYTES: u64 = 1024 * 1024;

/// Writes how the pool is before a command changes it, on the disk before that.
///
/// # Errors
/// When there is such a file, or it cannot be written.
pub(crate) fn write(
    path: Option<&Path>,
    command: &str,
    pool: &UserPoolId,
    request: &UpdateRequest,
    now: Timestamp,
) -> anyhow::Result<PathBuf> {
    let path =
        path.map_or_else(|| PathBuf::from(file_name(&format!("undo-{command}-{pool}"), now, "json")), Path::to_owned);
    let mut file = new_file(&path)?;
    let text = format!("{:#}\n", request.as_json());
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.with_context(|| format!("writing {}; nothing was changed", path.display()))?;
    Ok(path)
}

/// The trigger that the pool had when the file was written.
///
/// # Errors
/// When it cannot be read, or is of another pool.
pub(crate) fn read(path: &Path, pool: &UserPoolId) -> anyhow::Result<Trigger> {
    let opened = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut text = String::new();
    opened.take(MOST_BYTES).read_to_string(&mut text).with_context(|| format!("reading {}", path.display()))?;
    trigger(&text, pool).with_context(|| format!("{} is no undo file of {pool}", path.display()))
}

fn trigger(text: &str, pool: &UserPoolId) -> anyhow::Result<Trigger> {
    // What is in the file may be anything: serde_json would quote it.
    let request: Value = serde_json::from_str(text).ok().context("it is not JSON")?;
    let of = request["UserPoolId"].as_str().context("it has no UserPoolId")?;
    anyhow::ensure!(of == pool.as_str(), "its UserPoolId is another");
    let triggers = request["LambdaConfig"].as_object().context("it has no LambdaConfig")?;
    Ok(Trigger {
        sms_sender: triggers.get("CustomSMSSender").cloned(),
        key: triggers.get("KMSKeyID").and_then(Value::as_str).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let pool = UserPoolId::parse("eu-west-1_Example01").expect("an id");
        format!("{:#}", trigger(text, &pool).expect_err("no undo file"))
    }

    #[test]
    fn only_the_pools_own_file_undoes_it() {
        for (text, expected) in [
            ("hush", "it is not JSON"),
            ("[]", "it has no UserPoolId"),
            (r#"{"UserPoolId":"eu-west-1_Other"}"#, "its UserPoolId is another"),
            (r#"{"UserPoolId":"eu-west-1_Example01"}"#, "it has no LambdaConfig"),
        ] {
            assert_eq!(error(text), expected);
        }
    }
}
