//! What the fake does with a request.

use std::time::Duration;

use super::ReceivedSms;

/// What becomes of one request. A request with a fault is refused whatever is written here.
pub enum Script {
    /// Take the message and say so.
    Accept,
    /// Answer this; no message is taken.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Reset the connection when the first bytes arrive, before reading any of them (on a connection that has served
    /// before: before reading the form).
    ResetBeforeRead,
    /// Take the message, then reset the connection instead of answering.
    ResetAfterRead,
    /// Take the message, then close the connection in the middle of the answer.
    HalfAnswer,
    /// Take the message and answer 200 with something that is no answer.
    Garbage200,
    /// Take the message and say so byte by byte, with this pause after each.
    Drip(Duration),
    /// Take the message, then do the other thing.
    Take(Box<Script>),
    /// Wait, then do the other thing.
    Delay(Duration, Box<Script>),
}

/// Decides what becomes of each request for which no script was said beforehand, in view of the message.
pub trait Director: Send + Sync {
    /// Whether to reset a new connection of which nothing has been read yet. `unread` is what has come so far: most
    /// often all of the first request.
    fn resets(&self, unread: &[u8]) -> bool;

    /// What to do with a request for this message.
    fn script(&self, message: &ReceivedSms) -> Script;

    /// The message was taken: in real life it is on its way to the phone.
    fn took(&self, message: &ReceivedSms);
}
