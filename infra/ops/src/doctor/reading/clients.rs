use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use shared::UserPoolId;

use super::ask::Call;
use super::gather::Aws;
use super::unread::Reading;
use crate::untyped::Service;

/// Of a pool that makes a client for each tenant, some are looked at.
const MOST: usize = 20;
const AT_ONCE: usize = 5;
/// Cognito's default for an absent `AuthSessionValidity`, in minutes.
const DEFAULT_SESSION_MINUTES: u64 = 3;

/// The pool's app clients, or the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppClients {
    pub(crate) looked_at: Vec<AppClient>,
    /// Whether there are more.
    pub(crate) is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppClient {
    pub(crate) id: String,
    /// How long a user has to answer a challenge, such as for a code.
    pub(crate) session: Duration,
    /// Whether people sign in with it; programs get no code.
    pub(crate) is_for_people: bool,
}

impl Aws {
    pub(super) async fn clients(&self, pool: &UserPoolId) -> Reading<AppClients> {
        let call = Call::new("cognito-idp:ListUserPoolClients", "user pool", pool.as_str());
        let request = json!({ "UserPoolId": pool.as_str(), "MaxResults": 60 });
        let listed = call.untyped(self.untyped().json(Service::UserPools, "ListUserPoolClients", &request)).await?;
        let ids = listed["UserPoolClients"].as_array().into_iter().flatten();
        let ids: Vec<_> = ids.filter_map(|client| client["ClientId"].as_str().map(str::to_owned)).collect();
        let is_cut = ids.len() > MOST || listed["NextToken"].is_string();
        let described = stream::iter(ids.into_iter().take(MOST)).map(|id| self.client(pool, id));
        let looked_at = described.buffered(AT_ONCE).try_collect().await?;
        Ok(AppClients { looked_at, is_cut })
    }

    async fn client(&self, pool: &UserPoolId, id: String) -> Reading<AppClient> {
        let call = Call::new("cognito-idp:DescribeUserPoolClient", "user pool", pool.as_str());
        let request = json!({ "UserPoolId": pool.as_str(), "ClientId": id });
        let cognito = self.untyped();
        let described = call.untyped(cognito.json(Service::UserPools, "DescribeUserPoolClient", &request)).await?;
        Ok(AppClient::of(id, &described["UserPoolClient"]))
    }
}

impl AppClient {
    /// Reads what `DescribeUserPoolClient` answers. Its secret is not kept.
    pub(crate) fn of(id: String, client: &Value) -> Self {
        let minutes = client["AuthSessionValidity"].as_u64().unwrap_or(DEFAULT_SESSION_MINUTES);
        let flows = client["AllowedOAuthFlows"].as_array();
        // A client for programs can have this flow and no other.
        let is_for_programs = flows.is_some_and(|flows| flows.iter().any(|flow| flow == "client_credentials"));
        Self { id, session: Duration::from_secs(minutes * 60), is_for_people: !is_for_programs }
    }
}
