//! The providers of the route: three that can be reached and behave as the mix says, and four that never can be.

use std::sync::Arc;

use anyhow::Context as _;
use local::fake_twilio::{Director, FakeTwilio, FakeTwilioSettings, ReceivedSms, Script};
use serde::Serialize;

use crate::ledger::Ledger;
use crate::out_of_reach::OutOfReach;

pub(crate) const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
/// One for all three: nobody may print it.
pub(crate) const AUTH_TOKEN: &str = "hush-auth-token-of-the-account";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    TwilioA,
    TwilioB,
    /// Of kind `http`.
    Gateway,
    /// Its host name has no address.
    Unresolvable,
    /// Nothing listens on its port.
    Refusing,
    /// Its certificate is of an authority that nobody trusts.
    Untrusted,
    /// It speaks no TLS where it should.
    Plain,
}

impl Provider {
    pub const ALL: [Self; 7] =
        [Self::TwilioA, Self::TwilioB, Self::Gateway, Self::Unresolvable, Self::Refusing, Self::Untrusted, Self::Plain];
    pub(crate) const REACHABLE: [Self; 3] = [Self::TwilioA, Self::TwilioB, Self::Gateway];
    pub(crate) const OUT_OF_REACH: [Self; 4] = [Self::Unresolvable, Self::Refusing, Self::Untrusted, Self::Plain];

    /// Its name in the workers' configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwilioA => "twilio-a",
            Self::TwilioB => "twilio-b",
            Self::Gateway => "gateway",
            Self::Unresolvable => "unresolvable",
            Self::Refusing => "refusing",
            Self::Untrusted => "untrusted",
            Self::Plain => "plain",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    /// The names under which a worker may report that it cannot be reached; a machine that is slow enough does not
    /// even find out.
    pub(crate) fn unreachable_codes(self) -> &'static [&'static str] {
        match self {
            Self::TwilioA | Self::TwilioB | Self::Gateway => &[],
            Self::Unresolvable => &["dns", "connect_timeout"],
            Self::Refusing => &["connect", "connect_timeout"],
            Self::Untrusted | Self::Plain => &["tls", "connect_timeout"],
        }
    }
}

/// All of them, until this is dropped.
pub(crate) struct Providers {
    reachable: Vec<(Provider, FakeTwilio)>,
    pub(crate) out_of_reach: OutOfReach,
}

impl Providers {
    /// # Errors
    /// When ports cannot be had.
    pub(crate) async fn start(ledger: &Arc<Ledger>) -> anyhow::Result<Self> {
        let mut reachable = Vec::new();
        for provider in Provider::REACHABLE {
            let account = FakeTwilioSettings { account_sid: ACCOUNT_SID.to_owned(), auth_token: AUTH_TOKEN.to_owned() };
            let conduct = Arc::new(Conduct { provider, ledger: Arc::clone(ledger) });
            let fake = FakeTwilio::directed(account, conduct).await.context("starting a fake provider")?;
            reachable.push((provider, fake));
        }
        Ok(Self { reachable, out_of_reach: OutOfReach::start().await? })
    }

    /// Where each provider is to be found.
    pub(crate) fn base_url(&self, provider: Provider) -> String {
        let fake = self.reachable.iter().find(|(known, _)| *known == provider);
        fake.map_or_else(|| self.out_of_reach.base_url(provider), |(_, fake)| fake.base_url())
    }
}

/// How one provider behaves.
struct Conduct {
    provider: Provider,
    ledger: Arc<Ledger>,
}

impl Director for Conduct {
    fn resets(&self, unread: &[u8]) -> bool {
        let Some(event) = number_in(unread).and_then(|number| self.ledger.event_of(&number)) else { return false };
        let (behaviour, _) = self.ledger.behaviour(event, self.provider);
        let resets = behaviour == crate::behaviour::Behaviour::ResetsBeforeRead;
        if resets {
            self.ledger.perform(event, self.provider, None);
        }
        resets
    }

    fn script(&self, message: &ReceivedSms) -> Script {
        match self.ledger.event_of(&message.to) {
            Some(event) => self.ledger.perform(event, self.provider, Some(message)).script,
            // Found later as a message of no event: nobody may take it.
            None => Script::Answer { status: 500, headers: Vec::new(), body: String::new() },
        }
    }

    fn took(&self, message: &ReceivedSms) {
        self.ledger.took(self.provider, message);
    }
}

/// The recipient in a request's form, of which perhaps not all has come.
fn number_in(request: &[u8]) -> Option<String> {
    let request = std::str::from_utf8(request).ok()?;
    let (_, form) = request.split_once("\r\n\r\n")?;
    let field = form.split('&').find_map(|field| field.strip_prefix("To=%2B"))?;
    Some(format!("+{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_a_request_that_nobody_has_read() {
        let head = "POST /2010-04-01/Accounts/AC/Messages.json HTTP/1.1\r\nhost: x\r\n\r\n";
        let found = number_in(format!("{head}From=F1&To=%2B12065550100&Body=Your+code").as_bytes());
        assert_eq!(found.as_deref(), Some("+12065550100"));
        assert_eq!(number_in(head.as_bytes()), None);
        assert_eq!(number_in(b"HEAD / HTTP/1.1\r\n"), None);
    }
}
