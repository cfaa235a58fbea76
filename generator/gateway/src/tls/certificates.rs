//! Certificates of the gateway's ports, issued in memory for the name that a client asks for.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

use super::authority::{LOOPBACK, LocalAuthority};
use super::hosts::HostTable;

/// Maximum number of certificates that are kept.
const MAX_ISSUED: usize = 1000;

/// Issues certificates for the hosts that the gateway stands for.
pub(super) struct CertificateIssuer {
    authority: LocalAuthority,
    /// Authority for the hosts of AWS, which only functions trust.
    functions: LocalAuthority,
    /// Key of all certificates. It is never stored.
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    hosts: Arc<HostTable>,
    loopback: Arc<CertifiedKey>,
    issued: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl CertificateIssuer {
    /// Creates an issuer with the certificate for loopback.
    ///
    /// # Errors
    ///
    /// If keys or certificates cannot be created. The text says why.
    pub(super) fn new(
        authority: LocalAuthority,
        functions: LocalAuthority,
        hosts: Arc<HostTable>,
    ) -> Result<Self, String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = default_provider().key_provider.load_private_key(der);
        let signing = signing.map_err(|error| error.to_string())?;
        let loopback = authority.issue(&key, &LOOPBACK);
        let loopback = loopback.map_err(|error| error.to_string())?;
        Ok(CertificateIssuer {
            authority,
            functions,
            key,
            loopback: Arc::new(CertifiedKey::new(vec![loopback], signing.clone())),
            signing,
            hosts,
            issued: Mutex::default(),
        })
    }

    /// Returns the certificate for a name; `None` for names that the gateway does not stand for.
    fn certificate_for(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        if name == "localhost" {
            return Some(self.loopback.clone());
        }
        if name.ends_with(".localhost") {
            // Not stored: clients may ask for any number of these names.
            return self.issue(&self.authority, &name);
        }
        self.hosts.port(&name)?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(&name) {
            return Some(known.clone());
        }
        let certified = self.issue(&self.functions, &name)?;
        // Functions may ask for any number of names of AWS.
        if issued.len() < MAX_ISSUED {
            issued.insert(name, certified.clone());
        }
        Some(certified)
    }

    fn issue(&self, authority: &LocalAuthority, name: &str) -> Option<Arc<CertifiedKey>> {
        let certificate = authority.issue(&self.key, &[name]).ok()?;
        let certified = CertifiedKey::new(vec![certificate], self.signing.clone());
        Some(Arc::new(certified))
    }
}

impl ResolvesServerCert for CertificateIssuer {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) => self.certificate_for(name),
            // Clients send no name when they connect to an IP address.
            None => Some(self.loopback.clone()),
        }
    }
}

impl fmt::Debug for CertificateIssuer {
    /// Omits the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateIssuer").finish_non_exhaustive()
    }
}

/// Returns the configuration of servers with these certificates, for these protocols of HTTP.
///
/// # Errors
///
/// If the TLS library supports no protocol version. The text says why.
pub(super) fn server_config(
    issuer: &Arc<CertificateIssuer>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, String> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(issuer.clone());
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
