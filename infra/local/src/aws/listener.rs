//! HTTP on loopback: bounds on what comes in, and the way to the service that a request names.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use super::{
    lambda_service::{LambdaService, MOST_PAYLOAD_BYTES},
    server::Services,
    service::{Answer, Caller},
};

/// A batch of 1 MiB with its JSON around it.
const BODY_BYTES: usize = 1536 * 1024;
const DRAINED_BYTES: usize = 16 * 1024 * 1024;
const BODY_TIME: Duration = Duration::from_secs(30);
/// Also how long a connection may idle. Longer than the 90 seconds for which the SDKs keep idle connections, so that it
/// is never this side that closes one just as a request comes.
const HEADER_TIME: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 512;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const STOP_GRACE: Duration = Duration::from_secs(1);

/// An address that is taken, not yet served.
pub(super) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    runtime: Handle,
}

/// Serves until it is dropped.
pub(super) struct Listener {
    address: SocketAddr,
    /// Dropping it is the signal to stop.
    _running: watch::Sender<()>,
}

impl Listener {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Bound> {
        if !address.ip().is_loopback() {
            let message = format!("{address} is not a loopback address; the embedded AWS checks no credentials");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        Ok(Bound { address: listener.local_addr()?, listener, runtime })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Bound {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn serve(self, services: Services, lambda: Arc<LambdaService>) -> Listener {
        let (running, stopped) = watch::channel(());
        let router = Arc::new(Router { services, lambda, requests: AtomicU64::new(0) });
        self.runtime.spawn(accept(self.listener, router, stopped));
        Listener { address: self.address, _running: running }
    }
}

async fn accept(listener: TcpListener, router: Arc<Router>, mut stopped: watch::Receiver<()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
            let (stream, _) = listener.accept().await?;
            // Only latency is lost when this fails.
            let _ = stream.set_nodelay(true);
            Ok::<_, io::Error>((stream, slot))
        };
        let next = tokio::select! {
            next = next => next,
            _ = stopped.changed() => return,
        };
        match next {
            Ok((stream, slot)) => {
                tokio::spawn(connection(stream, Arc::clone(&router), stopped.clone(), slot));
            }
            // Out of file descriptors, say: that passes, and must not end the service.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Arc<Router>,
    mut stopped: watch::Receiver<()>,
    _slot: OwnedSemaphorePermit,
) {
    let service = service_fn(|request| {
        let router = Arc::clone(&router);
        async move { Ok::<_, Infallible>(router.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A failed connection is the client's to notice: there is nobody else to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(STOP_GRACE, connection).await;
        }
    }
}

struct Router {
    services: Services,
    lambda: Arc<LambdaService>,
    requests: AtomicU64,
}

impl Router {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        // Both JSON versions are written alike; an answer comes in the version of its request.
        let json_1_1 = request.headers().get(CONTENT_TYPE).is_some_and(|it| it.as_bytes().ends_with(b"json-1.1"));
        let content_type = if json_1_1 { "application/x-amz-json-1.1" } else { "application/x-amz-json-1.0" };
        let answer = self.route(request).await;
        let mut response = Response::new(Full::new(Bytes::from(answer.body)));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Ok(id) = HeaderValue::try_from(format!("local-{number}")) {
            headers.insert("x-amzn-requestid", id);
        }
        for (name, value) in answer.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }

    async fn route(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        if LambdaService::has_path(head.uri.path()) {
            return match read_body(body, MOST_PAYLOAD_BYTES).await {
                Ok(payload) => self.lambda.answer(&head, payload).await,
                Err(refusal) => refusal,
            };
        }
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let found =
            target.split_once('.').and_then(|(prefix, operation)| Some((self.services.get(prefix)?, operation)));
        let Some((service, operation)) = found.filter(|_| head.method == Method::POST) else {
            return Answer::unknown_operation(target);
        };
        match read_body(body, BODY_BYTES).await {
            Ok(Some(body)) => service.call(operation, &body, &caller(&head.headers)).await,
            Ok(None) => {
                let message = format!("the request body is longer than {BODY_BYTES} bytes");
                Answer::error(413, "RequestEntityTooLargeException", &message)
            }
            Err(refusal) => refusal,
        }
    }
}

/// The body, nothing when it is longer than `most` bytes, or the answer to a body that does not come to its end.
async fn read_body(body: Incoming, most: usize) -> Result<Option<Vec<u8>>, Answer> {
    match tokio::time::timeout(BODY_TIME, collect(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Answer::error(400, "RequestAbortedException", "the request body broke off")),
        Err(_) => Err(Answer::error(408, "RequestExpiredException", "the request body took longer than 30 seconds")),
    }
}

/// Of a body that is too long some more is read and dropped: a client that is still sending when the connection closes
/// never sees the answer.
async fn collect(mut body: Incoming, most: usize) -> Result<Option<Vec<u8>>, hyper::Error> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > DRAINED_BYTES {
            break;
        }
        if length <= most {
            bytes.extend_from_slice(&data);
        }
    }
    Ok((length <= most).then_some(bytes))
}

/// The access key id out of `AWS4-HMAC-SHA256 Credential=AKID/20261124/eu-west-1/sqs/aws4_request, …`.
fn caller(headers: &HeaderMap) -> Caller {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key_id = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next());
    let sound = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    Caller { sender_id: key_id.filter(sound).unwrap_or("ANONYMOUS").to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_the_access_key_id_of_the_credentials() {
        for (authorization, sender_id) in [
            ("AWS4-HMAC-SHA256 Credential=AKIDTEST/20261124/eu-west-1/sqs/aws4_request, SignedHeaders=h", "AKIDTEST"),
            ("AWS4-HMAC-SHA256 Credential=/20261124", "ANONYMOUS"),
            ("Bearer x", "ANONYMOUS"),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(authorization))]);
            assert_eq!(caller(&headers).sender_id, sender_id);
        }
        assert_eq!(caller(&HeaderMap::new()).sender_id, "ANONYMOUS");
    }

    #[tokio::test]
    async fn an_address_that_others_can_reach_is_refused() {
        for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
            let error = Listener::bind(address.parse().unwrap()).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        assert!(Listener::bind("127.0.0.1:0".parse().unwrap()).is_ok());
    }
}
