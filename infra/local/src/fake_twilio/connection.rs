//! Connections, and how they end otherwise than HTTP means them to.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Account;

const HALF_ANSWER: &[u8] =
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"sid\":\"SM";
/// More than a request for one SMS takes.
const MOST_PEEKED_BYTES: usize = 8 * 1024;

/// How a connection ends without a whole answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    #[error("reset as told")]
    Reset,
    #[error("cut off as told")]
    HalfAnswer,
    #[error("answered byte by byte as told")]
    Drip { pause: Duration, answer: Vec<u8> },
}

/// Accepts connections for ever. Dropping it ends them all.
pub(super) async fn serve(listener: TcpListener, account: Arc<Account>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is the client's matter.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve_connection(stream, Arc::clone(&account)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, account: Arc<Account>) {
    account.connections.fetch_add(1, Ordering::SeqCst);
    // Once there is something to read the client has begun to write: every reset meets a request on its way.
    let mut unread = vec![0; MOST_PEEKED_BYTES];
    let Ok(length @ 1..) = stream.peek(&mut unread).await else { return };
    if !unread.starts_with(b"HEAD") && account.resets_before_read(&unread[..length]) {
        return reset(&stream);
    }
    let service = service_fn(|request| Box::pin(account.answer(request)));
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = poll_fn(|context| connection.poll_without_shutdown(context)).await else { return };
    let mut stream = connection.into_parts().io.into_inner();
    match std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Cut>()) {
        Some(Cut::Reset) => reset(&stream),
        // Here and below: nobody is left to tell when the client is gone already.
        Some(Cut::HalfAnswer) => stream.write_all(HALF_ANSWER).await.unwrap_or_default(),
        Some(Cut::Drip { pause, answer }) => drip(&mut stream, answer, *pause).await.unwrap_or_default(),
        None => {}
    }
}

/// Makes the coming close a reset.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().unwrap_or_default();
}

async fn drip(stream: &mut TcpStream, answer: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in answer {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}
