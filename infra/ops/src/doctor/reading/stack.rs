use std::collections::HashMap;

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;

/// What a stack says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) status: String,
    pub(crate) outputs: HashMap<String, String>,
    pub(crate) parameters: HashMap<String, String>,
}

impl Stack {
    pub(crate) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }

    /// The pool that it was made for.
    pub(crate) fn pool_id(&self) -> Option<&str> {
        self.parameters.get("UserPoolId").map(String::as_str)
    }
}

impl Aws {
    pub(super) async fn stack(&self, name: &str) -> Reading<Stack> {
        let call = Call::new("cloudformation:DescribeStacks", "stack", name);
        let described = call.clone().typed(self.cloudformation.describe_stacks().stack_name(name).send()).await?;
        let stack = described.stacks.unwrap_or_default().into_iter().next().ok_or_else(|| call.not_there())?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Stack {
            status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            outputs: outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect(),
            parameters: parameters.filter_map(|one| Some((one.parameter_key?, one.parameter_value?))).collect(),
        })
    }
}
