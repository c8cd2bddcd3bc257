//! Who else describes a user pool: tools whose next deployment puts back what this one changes.

use aws_config::SdkConfig;
use shared::UserPoolId;

use crate::user_pool::Description;

/// A tool that has the pool in its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    CloudFormation { stack: String },
    Terraform { sign: String },
    Amplify { sign: String },
}

/// Who owns the pool, as far as it shows.
pub(crate) async fn owner(aws: &SdkConfig, pool: &UserPoolId, described: &Description) -> Option<Owner> {
    match owner_by_signs(described) {
        Some(owner) => Some(owner),
        None => stack_of(aws, pool).await.map(|stack| Owner::CloudFormation { stack }),
    }
}

/// What tags and names tell. Amplify deploys with CloudFormation, so it is looked for first.
fn owner_by_signs(described: &Description) -> Option<Owner> {
    let tag = |is_sign: &dyn Fn(&str, &str) -> bool| {
        described.tags().find(|(key, value)| is_sign(key, value)).map(|(key, value)| format!("tag {key} = {value}"))
    };
    let amplify = tag(&|key, _| key.starts_with("amplify:") || key == "aws:amplify:app-id").or_else(|| {
        described.name().to_ascii_lowercase().starts_with("amplify").then(|| format!("name {}", described.name()))
    });
    if let Some(sign) = amplify {
        return Some(Owner::Amplify { sign });
    }
    if let Some((_, stack)) = described.tags().find(|(key, _)| *key == "aws:cloudformation:stack-name") {
        return Some(Owner::CloudFormation { stack: stack.to_owned() });
    }
    let names_it = |text: &str| ["terraform", "opentofu"].iter().any(|it| text.to_ascii_lowercase().contains(it));
    let sign = tag(&|key, value| names_it(key) || names_it(value))?;
    Some(Owner::Terraform { sign })
}

/// The stack that made the pool. Who may not ask is told nothing: this is a courtesy.
async fn stack_of(aws: &SdkConfig, pool: &UserPoolId) -> Option<String> {
    let asked = aws_sdk_cloudformation::Client::new(aws).describe_stack_resources().physical_resource_id(pool.as_str());
    let resources = asked.send().await.ok()?.stack_resources.unwrap_or_default();
    resources.into_iter().find_map(|resource| resource.stack_name)
}

impl Owner {
    /// What will happen, and why it is believed.
    pub(crate) fn warning(&self) -> String {
        match self {
            Self::CloudFormation { stack } => format!(
                "CloudFormation owns this pool (stack {stack}): its next update of the pool puts its own LambdaConfig \
                 back, unless the template has these lines too"
            ),
            Self::Terraform { sign } => format!(
                "Terraform seems to own this pool ({sign}): its next apply puts its own lambda_config back, unless the \
                 configuration has these lines too"
            ),
            Self::Amplify { sign } => format!(
                "Amplify seems to own this pool ({sign}): its next deployment puts its own LambdaConfig back, unless \
                 the backend has these lines too"
            ),
        }
    }

    /// The lines for its files.
    pub(crate) fn lines(&self, function: &str, key: &str) -> String {
        match self {
            Self::CloudFormation { .. } => format!(
                "LambdaConfig:\n  CustomSMSSender: {{ LambdaArn: {function}, LambdaVersion: V1_0 }}\n  KMSKeyID: {key}"
            ),
            Self::Terraform { .. } => format!(
                "lambda_config {{\n  custom_sms_sender {{\n    lambda_arn     = \"{function}\"\n    \
                 lambda_version = \"V1_0\"\n  }}\n  kms_key_id = \"{key}\"\n}}"
            ),
            // https://docs.amplify.aws/react/build-a-backend/auth/modify-resources-with-cdk/
            Self::Amplify { .. } => format!(
                "const {{ cfnUserPool }} = backend.auth.resources.cfnResources;\n\
                 cfnUserPool.addPropertyOverride('LambdaConfig.CustomSMSSender', {{\n  LambdaArn: '{function}',\n  \
                 LambdaVersion: 'V1_0',\n}});\n\
                 cfnUserPool.addPropertyOverride('LambdaConfig.KMSKeyID', '{key}');"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn owner(name: &str, tags: Value) -> Option<Owner> {
        owner_by_signs(&Description::of(json!({ "Name": name, "UserPoolTags": tags })))
    }

    #[test]
    fn owners_are_known_by_their_tags_and_names() {
        let stack = json!({ "aws:cloudformation:stack-name": "auth" });
        assert_eq!(owner("users", stack), Some(Owner::CloudFormation { stack: "auth".to_owned() }));
        for (tags, sign) in [
            (json!({ "ManagedBy": "Terraform" }), "tag ManagedBy = Terraform"),
            (json!({ "terraform": "true" }), "tag terraform = true"),
            (json!({ "provisioner": "opentofu" }), "tag provisioner = opentofu"),
        ] {
            assert_eq!(owner("users", tags), Some(Owner::Terraform { sign: sign.to_owned() }));
        }
        let amplify = json!({ "aws:cloudformation:stack-name": "amplify-app", "amplify:deployment-type": "branch" });
        let sign = "tag amplify:deployment-type = branch".to_owned();
        assert_eq!(owner("users", amplify), Some(Owner::Amplify { sign }));
        let named = owner("amplifyAuthUserPool4BA7F805-x", json!({}));
        assert_eq!(named, Some(Owner::Amplify { sign: "name amplifyAuthUserPool4BA7F805-x".to_owned() }));
    }

    #[test]
    fn a_pool_without_a_sign_has_no_owner_by_it() {
        assert_eq!(owner("users", json!({ "team": "identity" })), None);
        assert_eq!(owner("", json!(null)), None);
    }
}
