//! One user pool of cognito-local, over Cognito's API
//! (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/>).

use serde_json::{Value, json};
use witnesses::CognitoLocal;

/// A pool with one app client.
pub(crate) struct Users {
    http: reqwest::Client,
    endpoint: String,
    pub(crate) pool: String,
    client: String,
}

impl Users {
    /// A new pool that verifies telephone numbers.
    pub(crate) async fn new(cognito: &CognitoLocal) -> Self {
        let (http, endpoint) = (reqwest::Client::new(), cognito.endpoint());
        let mut users = Self { http, endpoint, pool: String::new(), client: String::new() };
        let pool = json!({ "PoolName": "users", "AutoVerifiedAttributes": ["phone_number"] });
        let pool = users.call("CreateUserPool", &pool).await.unwrap();
        users.pool = text(&pool["UserPool"]["Id"]);
        let client = json!({ "ClientName": "app", "UserPoolId": users.pool });
        let client = users.call("CreateUserPoolClient", &client).await.unwrap();
        users.client = text(&client["UserPoolClient"]["ClientId"]);
        users
    }

    /// Calls an operation as the app does; the error's type if it is refused.
    pub(crate) async fn as_client(&self, operation: &str, mut request: Value) -> Result<Value, String> {
        request["ClientId"] = self.client.as_str().into();
        self.call(operation, &request).await
    }

    /// Calls an operation as an administrator does.
    pub(crate) async fn as_administrator(&self, operation: &str, mut request: Value) -> Result<Value, String> {
        request["UserPoolId"] = self.pool.as_str().into();
        self.as_client(operation, request).await
    }

    async fn call(&self, operation: &str, request: &Value) -> Result<Value, String> {
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(request.to_string());
        let answer = request.send().await.unwrap();
        let is_done = answer.status().is_success();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if is_done { Ok(body) } else { Err(body["__type"].as_str().unwrap_or("an error without a type").to_owned()) }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
