//! TLS configurations.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::connect_error::ConnectError;

/// Returns a TLS configuration that trusts the root certificates of this machine.
pub(crate) fn native_tls_config() -> Result<Arc<ClientConfig>, ConnectError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let errors: Vec<_> = loaded.errors.iter().map(ToString::to_string).collect();
        return Err(ConnectError::NoRoots {
            reason: errors.join("; "),
        });
    }
    tls_config_with_roots(roots).map_err(|error| ConnectError::NoRoots {
        reason: error.to_string(),
    })
}

/// Returns a TLS configuration that trusts these root certificates.
///
/// # Errors
///
/// If the TLS library supports no protocol version.
pub fn tls_config_with_roots(
    roots: impl Into<Arc<RootCertStore>>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}
