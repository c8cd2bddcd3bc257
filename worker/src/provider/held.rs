//! A message on its way out, which can be taken back until a connection has it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use zeroize::Zeroizing;

/// The holder's end. The connection takes the message out of the slot when it is ready to write it; when the exchange
/// fails and the message still lies there, it is withdrawn and cannot be sent any more. So whether it may have been
/// sent is known, whatever the HTTP library's errors say.
pub(super) struct Held {
    slot: Arc<Mutex<Option<Bytes>>>,
    length: u64,
}

/// The message as the connection sees it.
pub(super) struct Content {
    slot: Arc<Mutex<Option<Bytes>>>,
    length: u64,
    taken: bool,
}

/// What a connection finds that comes too late.
#[derive(Debug, thiserror::Error)]
#[error("the message was withdrawn before it was sent")]
pub(super) struct Withdrawn;

impl Held {
    pub(super) fn new(content: Zeroizing<String>) -> Self {
        let length = content.len() as u64;
        // Nobody comes to take an empty content, so its lying there would prove nothing.
        let slot = (length > 0).then(|| Bytes::from_owner(content));
        Self { slot: Arc::new(Mutex::new(slot)), length }
    }

    pub(super) fn content(&self) -> Content {
        Content { slot: Arc::clone(&self.slot), length: self.length, taken: false }
    }

    /// Takes the message back: true when no connection ever got it.
    pub(super) fn withdraw(&self) -> bool {
        take(&self.slot).is_some()
    }
}

fn take(slot: &Mutex<Option<Bytes>>) -> Option<Bytes> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        let content = self.get_mut();
        if content.is_end_stream() {
            return Poll::Ready(None);
        }
        content.taken = true;
        Poll::Ready(Some(take(&content.slot).map(Frame::data).ok_or(Withdrawn)))
    }

    fn is_end_stream(&self) -> bool {
        self.taken || self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.taken { 0 } else { self.length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body;

    fn polled(content: &mut Content) -> Option<Result<Bytes, Withdrawn>> {
        match Pin::new(content).poll_frame(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().expect("data"))),
            Poll::Pending => panic!("never pending"),
        }
    }

    fn held(text: &str) -> Held {
        Held::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_message_is_either_taken_or_withdrawn_and_never_both() {
        let taken = held("message");
        let mut content = taken.content();
        assert_eq!(content.size_hint().exact(), Some(7));
        assert_eq!(polled(&mut content).expect("content").expect("not withdrawn"), "message");
        assert!(content.is_end_stream());
        assert!(polled(&mut content).is_none());
        assert!(!taken.withdraw(), "it is gone");

        let withdrawn = held("message");
        let mut content = withdrawn.content();
        assert!(withdrawn.withdraw());
        assert!(polled(&mut content).expect("an error").is_err(), "it must not go out any more");
    }

    #[test]
    fn an_empty_content_is_never_proof_of_anything() {
        assert!(!held("").withdraw());
    }
}
