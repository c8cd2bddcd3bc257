//! The key: which one seals the codes, whether it works, and who may use it.

use shared::KeyArn;

use super::super::finding::{Judgement, Remedy};
use super::super::reading::{Reading, Readings, WorkersRight, known};
use super::pool::attach;
use crate::stack::KEY_ARN;

const COGNITO: &str = "cognito-idp.";

pub(super) fn pool_key(readings: &Readings) -> Reading<Judgement> {
    let pool = known(&readings.pool)?;
    let wrong = |found: String| Ok(Judgement::wrong(found, attach(readings)));
    let Some(key) = &pool.key else { return wrong("the pool has no KMSKeyID".to_owned()) };
    if let Err(error) = KeyArn::parse(key) {
        return wrong(format!("the pool's KMSKeyID {error}"));
    }
    let region = key.split(':').nth(3).unwrap_or_default();
    if region != pool.region() {
        return wrong(format!("the pool's KMSKeyID is in {region}, the pool in {}", pool.region()));
    }
    let stacks = readings.output(KEY_ARN);
    if stacks.is_some_and(|stacks| stacks != key) {
        let found = format!("the pool's KMSKeyID is {key}, and the stack's KeyArn another one");
        let remedy = "if the key is being changed, go on with the runbook's \"Another key\"; worker-keys says whether the \
            worker knows it already";
        return Ok(Judgement::warning(found, Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(format!("KMSKeyID is {key}")))
}

pub(super) fn kind(readings: &Readings) -> Reading<Judgement> {
    let key = match &readings.key {
        Ok(key) => key,
        Err(unread) if unread.is_not_there() => {
            let remedy = Remedy::by_hand("attach the pool with a key that is there (sealpost attach --key ARN)");
            return Ok(Judgement::wrong(unread.to_string(), remedy));
        }
        Err(unread) => return Err(unread.clone()),
    };
    let found = format!("{}, {}", key.spec, key.usage);
    if key.spec != "SYMMETRIC_DEFAULT" || key.usage != "ENCRYPT_DECRYPT" {
        let remedy = "Cognito takes a symmetric key for encryption only: attach the pool with such a one (sealpost attach \
            --key ARN)";
        return Ok(Judgement::wrong(found, Remedy::by_hand(remedy)));
    }
    if !key.is_customer_managed {
        let remedy = "the worker cannot be let use AWS's own key: attach the pool with one of yours (sealpost attach --key \
            ARN)";
        return Ok(Judgement::wrong(format!("{found}, AWS's own"), Remedy::by_hand(remedy)));
    }
    if key.origin != "AWS_KMS" || key.expires {
        let ends = if key.expires { ", whose material expires" } else { "" };
        let remedy =
            "codes cannot be read while the key's material is away: keep it there, or use a key of KMS's own making";
        return Ok(Judgement::warning(format!("{found}, origin {}{ends}", key.origin), Remedy::by_hand(remedy)));
    }
    Ok(Judgement::sound(found))
}

pub(super) fn state(readings: &Readings) -> Reading<Judgement> {
    let key = known(&readings.key)?;
    let line = &readings.command_line;
    let enable = line.aws(&["kms", "enable-key", "--key-id", &key.arn]);
    let found = format!("the key is {}", key.state);
    let remedy = match key.state.as_str() {
        "Enabled" => return Ok(Judgement::sound(found)),
        "Disabled" => Remedy::by("enable it: no code can be sealed or read", enable),
        "PendingDeletion" => {
            let cancel = line.aws(&["kms", "cancel-key-deletion", "--key-id", &key.arn]);
            let why = "take its deletion back: with the key goes what is queued, dead letters included";
            Remedy::by(why, format!("{cancel} && {enable}"))
        }
        _ => Remedy::by_hand("bring it into the state Enabled"),
    };
    Ok(Judgement::wrong(found, remedy))
}

/// Whether Cognito has a grant. What one looks like is not documented, so that none is not known to be wrong.
pub(super) fn cognito_grant(readings: &Readings) -> Reading<Judgement> {
    let grants = known(&readings.grants)?;
    let pool = known(&readings.pool)?;
    let of_cognito = grants.iter().filter(|grant| grant.grantees.iter().any(|grantee| grantee.starts_with(COGNITO)));
    let of_pool = |pools: &[String]| pools.is_empty() || pools.iter().any(|one| one == pool.id.as_str());
    if of_cognito.clone().any(|grant| grant.encrypts && of_pool(&grant.pools)) {
        return Ok(Judgement::sound("Cognito has a grant on the key for this pool"));
    }
    let found = match of_cognito.count() {
        0 => "no grant names Cognito; it may use the key in another way",
        _ => "no grant of Cognito's that is for this pool lets it encrypt",
    };
    let remedy =
        "try a sign-up, or `sealpost send`; if it fails with a KMS error, set the trigger anew, which makes the grant";
    Ok(Judgement::unknown(found, Remedy::by_hand(remedy)))
}

pub(super) fn worker_decrypts(readings: &Readings) -> Reading<Judgement> {
    let right = known(&readings.workers_right)?;
    Ok(match right {
        WorkersRight::Allowed => Judgement::sound("the worker's role may decrypt codes of this pool (a dry run)"),
        WorkersRight::Refused => {
            Judgement::wrong("the worker's role may not decrypt codes of this pool (a dry run)", refused(readings))
        }
        WorkersRight::NotAssumed => Judgement::unknown(
            "the worker's role cannot be assumed from here, so its right to decrypt cannot be tried",
            Remedy::by_hand("`sealpost send` proves it: it sends a code through the whole pipeline"),
        ),
    })
}

fn refused(readings: &Readings) -> Remedy {
    let sentence = "let the worker's role decrypt, by its own policy and by the key's, as the template has them \
        (WorkerMayUnseal, OnlyTheWorkerUnseals)";
    let (Ok(worker), Ok(key), Some(pool)) = (&readings.worker, &readings.key, &readings.pool_id) else {
        return Remedy::by_hand(sentence);
    };
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "UnsealsCodesOfThePool",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": [key.arn],
            "Condition": { "StringEquals": { "kms:EncryptionContext:userpool-id": pool.as_str() } },
        }],
    });
    let role = worker.role.rsplit('/').next().unwrap_or_default();
    let put = ["iam", "put-role-policy", "--role-name", role, "--policy-name", "unseals", "--policy-document"];
    Remedy::by(sentence, readings.command_line.aws(&[&put[..], &[&policy.to_string()]].concat()))
}
