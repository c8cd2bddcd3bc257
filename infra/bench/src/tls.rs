//! TLS in front of the stand-ins, under a certificate authority that exists for one run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Where systems keep their root certificates, all in one file and as a folder of files: Debian, Amazon Linux.
const SYSTEM_ROOTS: [(&str, &str); 2] = [
    ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs"),
    ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/certs"),
];

/// A throw-away authority and the one certificate that it gave, for 127.0.0.1.
pub(crate) struct Authority {
    server: Arc<ServerConfig>,
    /// The authority alone.
    pub(crate) certificate: PathBuf,
    /// The authority among the roots of this system, in one file. What is told of this file and of the folder loads as
    /// many certificates as what is told of neither.
    pub(crate) bundle: PathBuf,
    /// The folder of this system's roots; empty where there is none.
    pub(crate) folder: &'static str,
}

/// Takes TLS connections and passes on what they carry. It stops when dropped.
pub(crate) struct Terminator {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Authority {
    /// Makes the keys, and writes the certificates into `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Its certificates carry another name: where issuer and subject are the same, a certificate is taken for
        // self-signed.
        authority.distinguished_name.push(DnType::CommonName, "authority of one measurement");
        let root = authority.self_signed(&key)?;
        let issuer = Issuer::new(authority, key);
        let own_key = KeyPair::generate()?;
        let own = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&own_key, &issuer)?;
        let own_key = PrivateKeyDer::try_from(own_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], own_key)?;
        let (certificate, bundle) = (folder.join("authority.pem"), folder.join("roots.pem"));
        let pem = root.pem();
        std::fs::write(&certificate, &pem).with_context(|| format!("writing {}", certificate.display()))?;
        let system =
            SYSTEM_ROOTS.iter().find_map(|(file, folder)| Some((std::fs::read_to_string(file).ok()?, *folder)));
        let (mut roots, system_folder) = system.unwrap_or_default();
        roots.push_str(&pem);
        std::fs::write(&bundle, roots).with_context(|| format!("writing {}", bundle.display()))?;
        Ok(Self { server: Arc::new(server), certificate, bundle, folder: system_folder })
    }

    /// Puts TLS in front of a plain server.
    ///
    /// # Errors
    /// When no port can be had.
    pub(crate) async fn in_front_of(&self, plain: SocketAddr) -> anyhow::Result<Terminator> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening for TLS")?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::clone(&self.server)), plain));
        Ok(Terminator { address, serving })
    }
}

impl Terminator {
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, plain: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is the client's matter.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(pass_on(stream, acceptor.clone(), plain));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Until either side closes. Whoever is at the other end of a broken connection notices by itself.
async fn pass_on(stream: TcpStream, acceptor: TlsAcceptor, plain: SocketAddr) {
    // Only latency is lost when this fails.
    let _ = stream.set_nodelay(true);
    let (Ok(mut outside), Ok(mut inside)) = tokio::join!(acceptor.accept(stream), TcpStream::connect(plain)) else {
        return;
    };
    let _ = inside.set_nodelay(true);
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}
