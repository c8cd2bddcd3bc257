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

/// Something that happens once, at the next call of an operation.
struct Interruption {
    operation: &'static str,
    happening: Happening,
}

enum Happening {
    Refused { code: &'static str, message: String },
    Before(Box<dyn FnOnce(&mut Pool) + Send>),
    After(Box<dyn FnOnce(&mut Pool) + Send>),
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

    /// The next call of this operation is refused; said several times, so many calls are.
    pub(crate) fn refuse(&self, operation: &'static str, code: &'static str, message: &str) {
        let happening = Happening::Refused { code, message: message.to_owned() };
        self.state().interruptions.push(Interruption { operation, happening });
    }

    /// Somebody else changes the pool just before the next call of this operation is carried out.
    pub(crate) fn change_before(&self, operation: &'static str, change: impl FnOnce(&mut Pool) + Send + 'static) {
        let happening = Happening::Before(Box::new(change));
        self.state().interruptions.push(Interruption { operation, happening });
    }

    /// Somebody else changes the pool just after the next call of this operation was carried out.
    pub(crate) fn change_after(&self, operation: &'static str, change: impl FnOnce(&mut Pool) + Send + 'static) {
        let happening = Happening::After(Box::new(change));
        self.state().interruptions.push(Interruption { operation, happening });
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
            Err(Refusal { code, message }) => Answer::error(400, code, &message),
        }
    }
}

impl State {
    fn answer(&mut self, operation: &str, request: &Value) -> Result<Value, Refusal> {
        if operation == "CreateUserPool" {
            return self.create(request);
        }
        let next = self.interruptions.iter().position(|interruption| interruption.operation == operation);
        let happening = next.map(|next| self.interruptions.remove(next).happening);
        if let Some(Happening::Refused { code, message }) = happening {
            return Err(Refusal { code, message });
        }
        let id = request["UserPoolId"].as_str().unwrap_or_default();
        let pool = self.pools.get_mut(id).ok_or_else(|| Refusal {
            code: "ResourceNotFoundException",
            message: format!("User pool {id} does not exist."),
        })?;
        let (before, after) = match happening {
            Some(Happening::Before(change)) => (Some(change), None),
            Some(Happening::After(change)) => (None, Some(change)),
            Some(Happening::Refused { .. }) | None => (None, None),
        };
        if let Some(change) = before {
            change(pool);
        }
        let answer = match operation {
            "DescribeUserPool" => pool.described(),
            "GetUserPoolMfaConfig" => pool.second_factors(),
            "UpdateUserPool" => pool.update(request, self.messages).map(|()| json!({}))?,
            "SetUserPoolMfaConfig" => pool.set_second_factors(request).map(|()| pool.second_factors())?,
            _ => {
                return Err(Refusal { code: "UnknownOperationException", message: format!("{operation} is not here") });
            }
        };
        if let Some(change) = after {
            change(pool);
        }
        Ok(answer)
    }

    fn create(&mut self, request: &Value) -> Result<Value, Refusal> {
        let id = format!("eu-west-1_Pool{:05}", self.pools.len());
        let mut pool = Pool::created(&id, request, self.messages)?;
        let described = pool.described();
        self.pools.insert(id, pool);
        Ok(described)
    }
}
