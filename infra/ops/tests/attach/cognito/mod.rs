//! A Cognito of our own that is as hard to please as any source says it is: what a request leaves out is reset, what it
//! must not hold is refused, and between two calls others change the pool. It has the user pools' settings, nothing else.

mod messages;
mod model;
mod pool;
mod settings;
mod shape;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use local::aws::{Answer, Caller, Service};
use serde_json::{Value, json};

pub(crate) use model::{ONLY_DESCRIBED, Request};
use pool::Pool;
pub(crate) use settings::Messages;
use settings::Refusal;

/// The user pools of one account in one region, behind `AWSCognitoIdentityProviderService`.
pub(crate) struct UserPools(Mutex<State>);

struct State {
    pools: BTreeMap<String, Pool>,
    messages: Messages,
    interruptions: Vec<Interruption>,
    calls: Vec<Call>,
}

/// A call that was made, carried out or not.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) request: Value,
}

/// Something that happens once, at a call of an operation.
struct Interruption {
    operation: &'static str,
    /// So many calls come first.
    skip: usize,
    happening: Happening,
}

enum Happening {
    Refused { code: &'static str, message: String },
    Changed(Box<dyn FnOnce(&mut Pool) + Send>),
}

impl UserPools {
    pub(crate) fn new(messages: Messages) -> Self {
        let (pools, interruptions, calls) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self(Mutex::new(State { pools, messages, interruptions, calls }))
    }

    /// From now on messages are taken so.
    pub(crate) fn set_messages(&self, messages: Messages) {
        self.state().messages = messages;
    }

    /// A call of this operation is refused: the next one, or after so many others.
    pub(crate) fn refuse(&self, operation: &'static str, skip: usize, code: &'static str, message: &str) {
        let happening = Happening::Refused { code, message: message.to_owned() };
        self.state().interruptions.push(Interruption { operation, skip, happening });
    }

    /// Somebody else changes the pool just after the next call of this operation was carried out.
    pub(crate) fn change_after(&self, operation: &'static str, change: impl FnOnce(&mut Pool) + Send + 'static) {
        let happening = Happening::Changed(Box::new(change));
        self.state().interruptions.push(Interruption { operation, skip: 0, happening });
    }

    /// Changes a pool now.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Pool)) {
        change(self.state().pools.get_mut(id).expect("it was created"));
    }

    /// The requests of an operation so far.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let calls = &self.state().calls;
        calls.iter().filter(|call| call.operation == operation).map(|call| call.request.clone()).collect()
    }

    /// The operations that were called since the last look, in their order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.state().calls.drain(..).map(|call| call.operation).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds this")
    }
}

#[async_trait]
impl Service for UserPools {
    async fn call(&self, operation: &str, body: &[u8], _: &Caller) -> Answer {
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "SerializationException", "the request is not JSON");
        };
        let mut state = self.state();
        state.calls.push(Call { operation: operation.to_owned(), request: request.clone() });
        match state.answer(operation, &request) {
            Ok(answer) => Answer::ok(&answer),
            Err(Refusal { code: code @ ("InternalErrorException" | "ServiceUnavailableException"), message }) => {
                Answer::error(500, code, &message)
            }
            Err(Refusal { code, message }) => Answer::error(400, code, &message),
        }
    }
}

impl State {
    fn answer(&mut self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        if operation == "CreateUserPool" {
            return self.create(request);
        }
        let change = match self.interruption(operation) {
            Some(Happening::Refused { code, message }) => return Err(Refusal { code, message }),
            Some(Happening::Changed(change)) => Some(change),
            None => None,
        };
        let id = request["UserPoolId"].as_str().unwrap_or_default();
        let pool = self.pools.get_mut(id).ok_or_else(|| Refusal {
            code: "ResourceNotFoundException",
            message: format!("User pool {id} does not exist."),
        })?;
        let answer = match operation {
            "DescribeUserPool" => pool.described(),
            "GetUserPoolMfaConfig" => pool.second_factors(),
            "UpdateUserPool" => pool.update(request, self.messages).map(|()| json!({}))?,
            "SetUserPoolMfaConfig" => pool.set_second_factors(request).map(|()| pool.second_factors())?,
            _ => {
                return Err(Refusal { code: "UnknownOperationException", message: format!("{operation} is not here") });
            }
        };
        if let Some(change) = change {
            change(pool);
        }
        Ok(answer)
    }

    /// What happens at this call of an operation, if anything does.
    fn interruption(&mut self, operation: &str) -> Option<Happening> {
        let mut due = None;
        for (number, interruption) in self.interruptions.iter_mut().enumerate() {
            if interruption.operation != operation {
                continue;
            }
            match interruption.skip.checked_sub(1) {
                Some(left) => interruption.skip = left,
                None => due = due.or(Some(number)),
            }
        }
        due.map(|number| self.interruptions.remove(number).happening)
    }

    fn create(&mut self, request: &Value) -> Result<Value, Refusal> {
        let id = format!("eu-west-1_Pool{:05}", self.pools.len());
        let mut pool = Pool::created(&id, request, self.messages)?;
        let described = pool.described();
        self.pools.insert(id, pool);
        Ok(described)
    }
}
