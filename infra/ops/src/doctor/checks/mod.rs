//! What the readings mean. Each check is a function of values, and makes one finding.

mod configuration;
mod dead_letters;
mod function;
mod invocation;
mod key;
mod mapping;
mod pool;
mod producer;
mod queue;
mod senders;
mod stack;
mod state;
#[cfg(test)]
mod tests;
mod worker;

use super::finding::{Finding, Judgement, Step};
use super::reading::{Reading, Readings};

/// One question about a deployment.
struct Check {
    /// In the output, in README and in the runbook; never changed.
    name: &'static str,
    step: Step,
    judge: fn(&Readings) -> Reading<Judgement>,
}

impl Check {
    const fn new(step: Step, name: &'static str, judge: fn(&Readings) -> Reading<Judgement>) -> Self {
        Self { name, step, judge }
    }

    fn finding(&self, readings: &Readings) -> Finding {
        let judgement = (self.judge)(readings).unwrap_or_else(|unread| Judgement::unread(&unread));
        Finding { check: self.name, step: self.step, judgement }
    }
}

/// All questions, in the order in which they are answered.
const CHECKS: [Check; 57] = [
    Check::new(Step::Stack, "stack", stack::is_whole),
    Check::new(Step::Pool, "trigger", pool::trigger),
    Check::new(Step::Pool, "other-triggers", pool::other_triggers),
    Check::new(Step::Pool, "sms-settings", pool::sms_settings),
    Check::new(Step::Pool, "phone-in-use", pool::phone_in_use),
    Check::new(Step::Pool, "account-recovery", pool::account_recovery),
    Check::new(Step::Pool, "sign-in-lifetime", pool::sign_in_lifetime),
    Check::new(Step::Pool, "password-lifetime", pool::password_lifetime),
    Check::new(Step::Key, "pool-key", key::pool_key),
    Check::new(Step::Key, "key-kind", key::kind),
    Check::new(Step::Key, "key-state", key::state),
    Check::new(Step::Key, "cognito-grant", key::cognito_grant),
    Check::new(Step::Key, "worker-decrypts", key::worker_decrypts),
    Check::new(Step::Producer, "invoke-right", invocation::right),
    Check::new(Step::Producer, "producer-state", producer::state),
    Check::new(Step::Producer, "producer-runtime", producer::runtime),
    Check::new(Step::Producer, "producer-timeout", producer::timeout),
    Check::new(Step::Producer, "producer-memory", producer::memory),
    Check::new(Step::Producer, "producer-concurrency", producer::concurrency),
    Check::new(Step::Producer, "producer-environment", producer::environment),
    Check::new(Step::Producer, "producer-pool", producer::pool),
    Check::new(Step::Producer, "async-retries", invocation::retries),
    Check::new(Step::Producer, "async-destination", invocation::destination),
    Check::new(Step::Producer, "classic-dead-letters", invocation::classic_dead_letters),
    Check::new(Step::Queue, "queue", queue::is_the_one),
    Check::new(Step::Queue, "queue-encryption", queue::encryption),
    Check::new(Step::Queue, "queue-senders", senders::of_queue),
    Check::new(Step::Queue, "queue-visibility", queue::visibility),
    Check::new(Step::Queue, "queue-delay", queue::delay),
    Check::new(Step::Queue, "queue-message-size", queue::message_size),
    Check::new(Step::Queue, "queue-redrive", queue::redrive),
    Check::new(Step::Queue, "queue-receives", queue::receives),
    Check::new(Step::Worker, "mapping", mapping::is_the_one),
    Check::new(Step::Worker, "mapping-batch-failures", mapping::batch_failures),
    Check::new(Step::Worker, "mapping-window", mapping::window),
    Check::new(Step::Worker, "mapping-filter", mapping::filter),
    Check::new(Step::Worker, "mapping-concurrency", mapping::concurrency),
    Check::new(Step::Worker, "mapping-result", mapping::last_result),
    Check::new(Step::Worker, "worker-state", worker::state),
    Check::new(Step::Worker, "worker-runtime", worker::runtime),
    Check::new(Step::Worker, "worker-timeout", worker::timeout),
    Check::new(Step::Worker, "worker-memory", worker::memory),
    Check::new(Step::Worker, "worker-environment", worker::environment),
    Check::new(Step::Worker, "worker-queue", worker::queue),
    Check::new(Step::Worker, "worker-keys", worker::keys),
    Check::new(Step::Worker, "worker-pool", worker::pool),
    Check::new(Step::Worker, "trusted-senders", worker::trusted_senders),
    Check::new(Step::State, "state-table", state::table),
    Check::new(Step::State, "state-table-ttl", state::time_to_live),
    Check::new(Step::DeadLetters, "dead-letter-queue", dead_letters::queue),
    Check::new(Step::DeadLetters, "dead-letter-senders", senders::of_dead_letters),
    Check::new(Step::DeadLetters, "failed-invocations", dead_letters::failed_invocations),
    Check::new(Step::DeadLetters, "failed-invocation-senders", senders::of_failed_invocations),
    Check::new(Step::Providers, "configuration", configuration::file),
    Check::new(Step::Providers, "secret", configuration::secret),
    Check::new(Step::Providers, "start", configuration::start),
    Check::new(Step::Providers, "providers", configuration::providers),
];

/// Those that need nothing of AWS.
const OFFLINE: [&str; 4] = ["configuration", "secret", "start", "providers"];

pub(crate) fn all(readings: &Readings) -> Vec<Finding> {
    let asked = CHECKS.iter().filter(|check| check.step != Step::Stack || readings.stack.is_some());
    asked.map(|check| check.finding(readings)).collect()
}

pub(crate) fn offline(readings: &Readings) -> Vec<Finding> {
    CHECKS.iter().filter(|check| OFFLINE.contains(&check.name)).map(|check| check.finding(readings)).collect()
}
