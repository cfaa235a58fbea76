//! A private certificate authority, and TLS servers with its certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Certificate authority that no machine trusts.
pub struct PrivateCa {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl PrivateCa {
    /// Creates an authority with a new key.
    ///
    /// # Panics
    ///
    /// Panics if the key or the certificate cannot be created.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("keys can be generated");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "private authority");
        let certificate = params.self_signed(&key).expect("the parameters are valid");
        PrivateCa {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Returns the root certificate in PEM form.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Starts a TLS server on loopback with a certificate for `host`. It forwards every connection to `upstream`.
    ///
    /// # Panics
    ///
    /// Panics if the certificate cannot be created, or loopback has no free port.
    pub async fn serve(&self, host: &str, upstream: SocketAddr) -> SocketAddr {
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config(host)));
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("the listener is bound");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust the certificate ends the negotiation.
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let mut upstream = TcpStream::connect(upstream).await.ok()?;
                    copy_bidirectional(&mut stream, &mut upstream).await.ok()
                });
            }
        });
        address
    }

    fn server_config(&self, host: &str) -> ServerConfig {
        let key = KeyPair::generate().expect("keys can be generated");
        let params = CertificateParams::new([host.to_owned()]).expect("the host name is valid");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the parameters are valid");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider supports the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate match")
    }
}

impl Default for PrivateCa {
    fn default() -> Self {
        Self::new()
    }
}
