//! Root certificates.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

/// Length of a line in a PEM file.
const PEM_LINE: usize = 64;

/// Root certificates of a bundle, at least one.
#[derive(Clone)]
pub struct RootCertificates {
    store: Arc<RootCertStore>,
    pem: Arc<[String]>,
}

/// Reason why a bundle cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The file has a syntax error.
    #[error("it is not a PEM file: {0}")]
    Syntax(String),
    /// The file has no certificate.
    #[error("it contains no certificate")]
    Empty,
    /// No certificate of the file can be used as a root.
    #[error("none of its {0} certificates is valid")]
    Invalid(usize),
}

impl CertificateError {
    /// Returns what to do.
    pub fn hint(&self) -> &'static str {
        "write root certificates in PEM form: lines between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`"
    }
}

impl RootCertificates {
    /// Reads the certificates of a bundle in PEM form. Text between certificates is ignored, and so are certificates that the
    /// TLS library does not support.
    ///
    /// # Errors
    ///
    /// If the bundle is not PEM, or has no certificate that can be used.
    pub fn from_pem(bundle: &[u8]) -> Result<Self, CertificateError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bundle).collect();
        let found = found.map_err(|error| CertificateError::Syntax(error.to_string()))?;
        let total = found.len();
        let mut store = RootCertStore::empty();
        let mut pem = Vec::new();
        for certificate in found {
            if store.add(certificate.clone()).is_ok() {
                pem.push(to_pem(&certificate));
            }
        }
        match (total, pem.is_empty()) {
            (0, _) => Err(CertificateError::Empty),
            (_, true) => Err(CertificateError::Invalid(total)),
            (_, false) => Ok(RootCertificates {
                store: Arc::new(store),
                pem: pem.into(),
            }),
        }
    }

    /// Returns the certificates for rustls.
    pub fn store(&self) -> Arc<RootCertStore> {
        self.store.clone()
    }

    /// Returns the valid certificates, each in PEM form.
    pub fn pem(&self) -> &[String] {
        &self.pem
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} root certificates", self.pem.len())
    }
}

fn to_pem(certificate: &CertificateDer<'_>) -> String {
    let encoded = BASE64_STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(PEM_LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = next;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackgen_test_tools::PrivateCa;

    const INVALID: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    #[test]
    fn valid_certificates_of_a_bundle_are_used_and_other_lines_ignored() {
        let (first, second) = (PrivateCa::new(), PrivateCa::new());
        let bundle = format!(
            "# corporate roots\n{}\n{INVALID}text\n{}",
            first.pem(),
            second.pem()
        );
        let roots = RootCertificates::from_pem(bundle.as_bytes()).unwrap();
        assert_eq!(roots.store().len(), 2);
        let same = RootCertificates::from_pem(roots.pem().concat().as_bytes()).unwrap();
        assert_eq!(same.pem(), roots.pem());
        assert_eq!(format!("{roots:?}"), "2 root certificates");
    }

    #[test]
    fn a_bundle_without_a_valid_certificate_is_refused() {
        let error = |text: &str| RootCertificates::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(error(""), CertificateError::Empty);
        assert_eq!(error("no certificate\n"), CertificateError::Empty);
        assert_eq!(error(INVALID), CertificateError::Invalid(1));
        let cut = "-----BEGIN CERTIFICATE-----\nMAA=\n";
        assert!(matches!(error(cut), CertificateError::Syntax(_)));
    }
}
