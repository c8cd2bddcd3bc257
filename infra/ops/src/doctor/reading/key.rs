use std::collections::HashMap;

use aws_sdk_kms::types::{DryRunModifierType, GrantOperation, KeyMetadata};
use shared::{POOL_CONTEXT_KEY, UserPoolId};

use super::ask::Call;
use super::gather::Aws;
use super::unread::{Reading, Unread};

/// Grants are looked through so far: KMS hands out 100 at a time.
const MOST_PAGES_OF_GRANTS: usize = 5;

/// What KMS says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) arn: String,
    pub(crate) state: String,
    pub(crate) spec: String,
    pub(crate) usage: String,
    /// Whether it is the account's own, not AWS's.
    pub(crate) is_customer_managed: bool,
    pub(crate) origin: String,
    /// Whether its material ends by itself.
    pub(crate) expires: bool,
}

/// A grant on the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Who has it, as a principal or as a service.
    pub(crate) grantees: Vec<String>,
    pub(crate) encrypts: bool,
    /// The pool of its encryption context, or of its source ARN, where it is for one.
    pub(crate) pools: Vec<String>,
}

/// What a dry run of the worker's Decrypt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WorkersRight {
    Allowed,
    Refused,
    /// The role lets nobody but Lambda take it.
    NotAssumed,
}

impl Key {
    fn of(metadata: &KeyMetadata) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Self {
            arn: text(metadata.arn()),
            state: text(metadata.key_state().map(|state| state.as_str())),
            spec: text(metadata.key_spec().map(|spec| spec.as_str())),
            usage: text(metadata.key_usage().map(|usage| usage.as_str())),
            is_customer_managed: metadata.key_manager().is_none_or(|manager| manager.as_str() == "CUSTOMER"),
            origin: text(metadata.origin().map(|origin| origin.as_str())),
            expires: metadata.valid_to().is_some(),
        }
    }
}

impl Aws {
    pub(super) async fn key(&self, key: &str) -> Reading<Key> {
        let call = Call::new("kms:DescribeKey", "key", key);
        let described = call.clone().typed(self.kms.describe_key().key_id(key).send()).await?;
        described.key_metadata().map(Key::of).ok_or_else(|| call.not_there())
    }

    pub(super) async fn grants(&self, key: &str) -> Reading<Vec<Grant>> {
        let (mut grants, mut marker) = (Vec::new(), None);
        for _ in 0..MOST_PAGES_OF_GRANTS {
            let call = Call::new("kms:ListGrants", "key", key);
            let page = call.typed(self.kms.list_grants().key_id(key).limit(100).set_marker(marker).send()).await?;
            grants.extend(page.grants().iter().map(|grant| {
                let constraints = grant.constraints();
                let contexts = constraints
                    .into_iter()
                    .flat_map(|of| [of.encryption_context_equals(), of.encryption_context_subset()]);
                let pools = contexts.flatten().filter_map(|context| context.get(POOL_CONTEXT_KEY).cloned());
                let source = constraints.and_then(|of| of.source_arn()).and_then(|arn| arn.rsplit('/').next());
                let encrypts = [GrantOperation::Encrypt, GrantOperation::GenerateDataKey];
                let grantees = [grant.grantee_principal(), grant.grantee_service_principal()];
                Grant {
                    grantees: grantees.into_iter().flatten().map(str::to_owned).collect(),
                    encrypts: grant.operations().iter().any(|operation| encrypts.contains(operation)),
                    pools: pools.chain(source.map(str::to_owned)).collect(),
                }
            }));
            marker = page.next_marker;
            if !page.truncated || marker.is_none() {
                break;
            }
        }
        Ok(grants)
    }

    /// Whether the role may decrypt codes of the pool, which KMS says without a ciphertext
    /// (<https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html>).
    pub(super) async fn workers_right(&self, role: &str, key: &str, pool: &UserPoolId) -> Reading<WorkersRight> {
        let kms = match self.kms_as(role).await {
            Ok(kms) => kms,
            Err(Unread::NoRight { .. }) => return Ok(WorkersRight::NotAssumed),
            Err(unread) => return Err(unread),
        };
        let context = HashMap::from([
            (POOL_CONTEXT_KEY.to_owned(), pool.as_str().to_owned()),
            // A code's context has this too; conditions may ask for both names.
            ("aws-crypto-public-key".to_owned(), "none".to_owned()),
        ]);
        let decrypt = kms.decrypt().key_id(key).set_encryption_context(Some(context)).dry_run(true);
        let decrypt = decrypt.dry_run_modifiers(DryRunModifierType::IgnoreCiphertext);
        let call = Call::new("kms:Decrypt", "key", key);
        match call.typed(decrypt.send()).await {
            // A dry run that would succeed is refused as such.
            Ok(_) => Ok(WorkersRight::Allowed),
            Err(Unread::NoAnswer { cause, .. }) if cause.starts_with("DryRunOperationException") => {
                Ok(WorkersRight::Allowed)
            }
            Err(Unread::NoRight { .. }) => Ok(WorkersRight::Refused),
            Err(unread) => Err(unread),
        }
    }

    async fn kms_as(&self, role: &str) -> Reading<aws_sdk_kms::Client> {
        let call = Call::new("sts:AssumeRole", "role", role);
        let assumed = self.sts.assume_role().role_arn(role).role_session_name("sealpost-doctor");
        let assumed = call.clone().typed(assumed.send()).await?.credentials.ok_or_else(|| call.not_there())?;
        let credentials = aws_sdk_kms::config::Credentials::new(
            assumed.access_key_id,
            assumed.secret_access_key,
            Some(assumed.session_token),
            None,
            "the worker's role",
        );
        let config = self.kms.config().to_builder().credentials_provider(credentials).build();
        Ok(aws_sdk_kms::Client::from_conf(config))
    }
}
