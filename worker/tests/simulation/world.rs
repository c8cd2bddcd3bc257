//! The simulated world: its time, its queues, what goes wrong in it, and the record of all that happens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use shared::Timestamp;
use sqs::{Account, Limits};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use worker::{MemoryState, UserCode};

use crate::bodies::{Letter, moment};
use crate::codes::Codes;
use crate::draws::Draws;
use crate::plan::{CallTrouble, Fault, KeyTrouble, Millis, Plan, ProviderTrouble, QueueCall, TableTrouble, Trouble};
use crate::receives::Copies;
use crate::trace::{Entry, Event, Work};

pub(crate) const MAIN: &str = "codes";
pub(crate) const DEAD: &str = "codes-dead";
/// The message attribute that a redrive counts up.
pub(crate) const REDRIVEN: &str = "redriven";

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) draws: Draws,
    /// By number.
    pub(crate) letters: BTreeMap<u32, Letter>,
    pub(crate) table: Option<Arc<MemoryState>>,
    began: Instant,
    /// Something became receivable sooner than was foreseen.
    pub(crate) changed: Notify,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) account: Account,
    pub(crate) trace: Vec<Entry>,
    pub(crate) copies: Copies,
    /// Message numbers by SQS id, by message id and by signature key.
    pub(crate) numbers: BTreeMap<String, u32>,
    /// Receipt handles in the order in which they were first given out: short names for the trace.
    pub(crate) receipts: BTreeMap<String, Receipt>,
    counts: BTreeMap<(&'static str, u32), u32>,
    /// By owner, in the order in which they were first asked for.
    claims: BTreeMap<String, u32>,
    /// By task, in the order in which something was first heard of them.
    works: BTreeMap<String, u32>,
    /// What each of them claimed.
    pub(crate) claimed: BTreeMap<Work, u32>,
    attempts: u32,
}

#[derive(Clone, Copy)]
pub(crate) struct Receipt {
    pub(crate) number: u32,
    pub(crate) message: u32,
}

impl World {
    /// Must be called within the history's runtime.
    pub(crate) fn new(plan: &Plan, codes: &Codes) -> Arc<Self> {
        let draws = Draws::of_seed(plan.seed);
        let mut account = Account::new("eu-west-1", "123456789012", plan.seed, Limits::default());
        let begins = sqs_time(moment(0));
        account.create_queue(DEAD, &BTreeMap::new(), begins).expect("a sound queue");
        let redrive = format!(
            "{{\"deadLetterTargetArn\":\"{}\",\"maxReceiveCount\":{}}}",
            account.queue_arn(DEAD),
            worker::max_receive_count(plan.horizon)
        );
        let attributes = [("RedrivePolicy", redrive), ("MessageRetentionPeriod", "1209600".to_owned())];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        account.create_queue(MAIN, &attributes, begins).expect("a sound queue");
        let letters: BTreeMap<_, _> =
            plan.messages.iter().map(|planned| (planned.number, Letter::of(plan, planned, codes))).collect();
        let known_as = |letter: &Letter| [letter.code.id.clone(), letter.code.public_key.clone()];
        let numbers =
            letters.iter().flat_map(|(number, letter)| known_as(letter).map(|name| (name, *number))).collect();
        let state = State {
            account,
            trace: Vec::new(),
            copies: Copies::default(),
            numbers,
            receipts: BTreeMap::new(),
            counts: BTreeMap::new(),
            claims: BTreeMap::new(),
            works: BTreeMap::new(),
            claimed: BTreeMap::new(),
            attempts: 0,
        };
        Arc::new(Self {
            plan: plan.clone(),
            draws,
            letters,
            table: plan.has_table.then(Arc::default),
            began: Instant::now(),
            changed: Notify::new(),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics that holds it")
    }

    pub(crate) fn now(&self) -> Millis {
        u64::try_from(self.began.elapsed().as_millis()).expect("histories are short")
    }

    pub(crate) fn sqs_now(&self) -> sqs::Timestamp {
        sqs_time(moment(self.now()))
    }

    pub(crate) async fn sleep_until(&self, at: Millis) {
        sleep_until(self.began + Duration::from_millis(at)).await;
    }

    pub(crate) fn is_healed(&self) -> bool {
        self.now() >= self.plan.heals_at
    }

    pub(crate) fn note(&self, event: Event) {
        let at = self.now();
        self.state().trace.push(Entry { at, event });
    }

    /// How often this was asked before.
    pub(crate) fn count(&self, what: &'static str, whose: u32) -> u32 {
        let mut state = self.state();
        let count = state.counts.entry((what, whose)).or_default();
        *count += 1;
        *count - 1
    }

    pub(crate) fn next_attempt(&self) -> u32 {
        let mut state = self.state();
        state.attempts += 1;
        state.attempts
    }

    /// The number of the message that is known by this id or key.
    pub(crate) fn number_of(&self, name: &str) -> Option<u32> {
        self.state().numbers.get(name).copied()
    }

    /// A short name for the owner of a claim.
    pub(crate) fn number_of_claim(&self, owner: &str) -> u32 {
        number_in(&mut self.state().claims, owner.to_owned())
    }

    /// The work that is being done: the worker has a task for each delivery.
    pub(crate) fn work(&self) -> Work {
        Work(number_in(&mut self.state().works, tokio::task::id().to_string()))
    }

    /// The message that this code belongs to; the first of those that were accepted in the same millisecond.
    pub(crate) fn number_of_user_code(&self, code: &UserCode) -> Option<u32> {
        self.letters.values().find(|letter| letter.user_code.as_ref() == Some(code)).map(|letter| letter.planned.number)
    }

    pub(crate) fn message_of_body(&self, body: &str) -> u32 {
        let letter = self.letters.values().find(|letter| letter.body == body);
        letter.expect("a dead letter has the body of a message").planned.number
    }

    /// What goes wrong with a call of this kind, the `nth` about this message.
    fn trouble<T>(&self, of: impl Fn(Trouble) -> Option<T>, what: &str, message: u32, nth: u32) -> Option<T> {
        let now = self.now();
        let is_on = |fault: &&Fault| fault.from <= now && now < fault.until.min(self.plan.heals_at);
        self.plan.faults.iter().filter(is_on).find_map(|fault| {
            let trouble = of(fault.trouble)?;
            let draws = self.draws.of(what).nth(u64::from(fault.number)).nth(u64::from(message)).nth(u64::from(nth));
            draws.happens(fault.percent).then_some(trouble)
        })
    }

    pub(crate) fn key_trouble(&self, message: u32, nth: u32) -> Option<KeyTrouble> {
        let of = |trouble| if let Trouble::Keys(trouble) = trouble { Some(trouble) } else { None };
        self.trouble(of, "keys", message, nth)
    }

    pub(crate) fn provider_trouble(&self, provider: usize, message: u32, nth: u32) -> Option<ProviderTrouble> {
        let of = |trouble| match trouble {
            Trouble::Provider(of, trouble) if of == provider => Some(trouble),
            Trouble::Provider(..)
            | Trouble::Keys(_)
            | Trouble::Queue(..)
            | Trouble::Table(_)
            | Trouble::DoubleDelivery
            | Trouble::ShortVisibility
            | Trouble::WorkerPanics => None,
        };
        self.trouble(of, "provider", message, nth)
    }

    pub(crate) fn call_trouble(&self, call: QueueCall, message: u32, nth: u32) -> Option<CallTrouble> {
        let of = |trouble| match trouble {
            Trouble::Queue(of, trouble) if of == call => Some(trouble),
            Trouble::Queue(..)
            | Trouble::Keys(_)
            | Trouble::Provider(..)
            | Trouble::Table(_)
            | Trouble::DoubleDelivery
            | Trouble::ShortVisibility
            | Trouble::WorkerPanics => None,
        };
        self.trouble(of, "queue", message, nth)
    }

    pub(crate) fn table_trouble(&self, call: &'static str, whose: u32, nth: u32) -> Option<TableTrouble> {
        let of = |trouble| if let Trouble::Table(trouble) = trouble { Some(trouble) } else { None };
        self.trouble(of, call, whose, nth)
    }

    pub(crate) fn visibility_is_short(&self, process: u32, nth: u32) -> bool {
        let of = |trouble| (trouble == Trouble::ShortVisibility).then_some(());
        self.trouble(of, "visibility", process, nth).is_some()
    }

    pub(crate) fn is_delivered_twice(&self, message: u32, receive_count: u32) -> bool {
        let of = |trouble| (trouble == Trouble::DoubleDelivery).then_some(());
        self.trouble(of, "double delivery", message, receive_count).is_some()
    }

    pub(crate) fn worker_panics(&self, message: u32, nth: u32) -> bool {
        let of = |trouble| (trouble == Trouble::WorkerPanics).then_some(());
        self.trouble(of, "worker panics", message, nth).is_some()
    }

    /// How many messages the main queue holds, whatever their state.
    pub(crate) fn queued(&self) -> usize {
        let now = self.sqs_now();
        let counts = self.state().account.counts(MAIN, now).expect("it exists");
        counts.ready + counts.in_flight + counts.delayed
    }
}

/// Names get numbers in the order in which they come up.
fn number_in(names: &mut BTreeMap<String, u32>, name: String) -> u32 {
    let next = u32::try_from(names.len()).expect("few");
    *names.entry(name).or_insert(next)
}

pub(crate) fn sqs_time(moment: Timestamp) -> sqs::Timestamp {
    sqs::Timestamp::from_unix_millis(u64::try_from(moment.as_millisecond()).expect("after 1970"))
}

pub(crate) fn moment_of_sqs(time: sqs::Timestamp) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(time.unix_millis()).expect("in range")).expect("in range")
}

pub(crate) fn text_attribute<'m>(message: &'m sqs::Message, name: &str) -> Option<&'m str> {
    match &message.attributes.get(name)?.value {
        sqs::AttributeValue::Text(text) => Some(text),
        sqs::AttributeValue::Binary(_) => None,
    }
}
