//! Providers that a client never gets to speak with: no address, nobody there, no trust, no TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{CertificateParams, DnType, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::providers::Provider;

pub(crate) struct OutOfReach {
    /// Bound and not listening: connections are refused, and nobody else gets the port.
    refusing: TcpSocket,
    untrusted: SocketAddr,
    plain: SocketAddr,
    /// An authority of which there is no certificate anywhere, so that there are roots and they lead nowhere.
    pub(crate) roots: String,
    _serving: JoinSet<()>,
}

impl OutOfReach {
    /// # Errors
    /// When ports or keys cannot be had.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let refusing = TcpSocket::new_v4()?;
        refusing.bind(any).context("taking a port to refuse connections at")?;
        let untrusted = TcpListener::bind(any).await?;
        let plain = TcpListener::bind(any).await?;
        let (untrusted_address, plain_address) = (untrusted.local_addr()?, plain.local_addr()?);
        let acceptor = TlsAcceptor::from(Arc::new(self_signed_server()?));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut handshakes = JoinSet::new();
            while let Ok((stream, _)) = untrusted.accept().await {
                let acceptor = acceptor.clone();
                // The client breaks it off.
                handshakes.spawn(async move { drop(acceptor.accept(stream).await) });
                while handshakes.try_join_next().is_some() {}
            }
        });
        serving.spawn(async move {
            let mut answers = JoinSet::new();
            while let Ok((mut stream, _)) = plain.accept().await {
                answers.spawn(async move {
                    let mut greeting = [0; 1024];
                    // What becomes of the connection is the client's matter.
                    let _ = stream.read(&mut greeting).await;
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
                });
                while answers.try_join_next().is_some() {}
            }
        });
        let roots = authority()?;
        Ok(Self { refusing, untrusted: untrusted_address, plain: plain_address, roots, _serving: serving })
    }

    pub(crate) fn base_url(&self, provider: Provider) -> String {
        match provider {
            Provider::Refusing => {
                format!("http://{}", self.refusing.local_addr().expect("it was bound at the start"))
            }
            Provider::Untrusted => format!("https://{}", self.untrusted),
            Provider::Plain => format!("https://{}", self.plain),
            // RFC 6761, section 6.4: names below it do not exist.
            Provider::Unresolvable | Provider::TwilioA | Provider::TwilioB | Provider::Gateway => {
                "https://sms.invalid".to_owned()
            }
        }
    }
}

fn self_signed_server() -> anyhow::Result<ServerConfig> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])?.self_signed(&key)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    Ok(ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?)
}

fn authority() -> anyhow::Result<String> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority without certificates");
    Ok(authority.self_signed(&KeyPair::generate()?)?.pem())
}
