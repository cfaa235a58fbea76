//! Certificate authority of a gateway.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SerialNumber,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use time::{Duration, OffsetDateTime};

/// Names in the certificate for loopback.
pub(super) const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const LOOPBACK_DOMAIN: &str = "localhost";

/// Domains of AWS's hosts.
const AWS_DOMAINS: [&str; 2] = ["amazonaws.com", "amazonaws.com.cn"];

/// Text of AWS's domains in a certificate, as in the constraint `execute-api.eu-west-1.amazonaws.com`.
const AWS_NAME: &[u8] = b"amazonaws.com";

/// Reason to refuse a certificate that an older version made: it permits the hosts of one region.
const NAMES_AWS: &str = "an older version made it for hosts of AWS, too, and clients that trust its certificate would trust it for them";

/// Hosts for which an authority whose key is stored must not be trusted.
const AWS_HOSTS: [&str; 3] = [
    "api.execute-api.us-east-1.amazonaws.com",
    "cognito-idp.us-east-1.amazonaws.com",
    "sts.amazonaws.com",
];

/// Name of the authority in lists of certificates.
const COMMON_NAME: &str = "stackgen local gateway";

const AUTHORITY_LIFETIME: Duration = Duration::days(10 * 365);

/// Lifetime of other certificates. They are created at every start. Apple's clients accept at most 825 days.
const CERTIFICATE_LIFETIME: Duration = Duration::days(397);

/// Certificate authority. Its certificate permits only the names that it is made for, so that a stolen key cannot impersonate
/// other hosts.
pub(super) struct LocalAuthority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl LocalAuthority {
    /// Creates an authority for loopback, whose key is stored.
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        Self::permitting(&[LOOPBACK_DOMAIN])
    }

    /// Creates an authority for the hosts of AWS. Its key must never be stored, and only functions may trust it.
    pub(super) fn generate_for_functions() -> Result<Self, rcgen::Error> {
        Self::permitting(&AWS_DOMAINS)
    }

    /// Creates an authority for loopback addresses and these domains.
    pub(super) fn permitting(domains: &[&str]) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let params = params(domains)?;
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(LocalAuthority {
            certificate,
            issuer: Issuer::new(params, key),
        })
    }

    /// Restores an authority from its key and its certificate.
    ///
    /// # Errors
    ///
    /// If clients that trust the certificate would not trust those that this authority issues, or would trust it for hosts of
    /// AWS. The text says why.
    pub(super) fn restore(
        key: KeyPair,
        certificate: CertificateDer<'static>,
    ) -> Result<Self, String> {
        let params = params(&[LOOPBACK_DOMAIN]).map_err(|error| error.to_string())?;
        let authority = LocalAuthority {
            certificate,
            issuer: Issuer::new(params, key),
        };
        authority.check()?;
        Ok(authority)
    }

    /// Issues a certificate for these names.
    pub(super) fn issue(
        &self,
        key: &KeyPair,
        names: &[&str],
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        let texts: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(texts)?;
        let common = names.first().copied().unwrap_or_default();
        let now = OffsetDateTime::now_utc();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        params.not_before = now - Duration::days(1);
        params.not_after = now + CERTIFICATE_LIFETIME;
        params.serial_number = Some(serial_number()?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    /// Returns the certificate in PEM form.
    pub(super) fn pem(&self) -> String {
        to_pem(&self.certificate)
    }

    /// Returns the key in PEM form. It is a secret.
    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Checks that a client that trusts the certificate accepts the authority's certificates for loopback and for no hosts of
    /// AWS, which a stolen key could impersonate. A certificate that permits some of them names them.
    fn check(&self) -> Result<(), String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let verify = |name: &str| {
            let issued = self.issue(&key, &[name]);
            let issued = issued.map_err(|error| error.to_string())?;
            Ok::<_, String>(verify(&self.certificate, &issued, name))
        };
        verify(LOOPBACK_DOMAIN)?.map_err(|error| error.to_string())?;
        for host in AWS_HOSTS {
            if verify(host)?.is_ok() {
                return Err(format!(
                    "clients that trust its certificate would also trust it for {host}"
                ));
            }
        }
        let mut texts = self.certificate.windows(AWS_NAME.len());
        if texts.any(|text| text.eq_ignore_ascii_case(AWS_NAME)) {
            return Err(NAMES_AWS.to_owned());
        }
        Ok(())
    }
}

fn params(domains: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names = domains.iter().map(|domain| (*domain).to_owned());
    let addresses = [
        CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8),
        CidrSubnet::from_v6_prefix(std::net::Ipv6Addr::LOCALHOST.octets(), 128),
    ];
    let permitted = names
        .map(GeneralSubtree::DnsName)
        .chain(addresses.map(GeneralSubtree::IpAddress));
    let now = OffsetDateTime::now_utc();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, COMMON_NAME);
    params.not_before = now - Duration::days(1);
    params.not_after = now + AUTHORITY_LIFETIME;
    params.serial_number = Some(serial_number()?);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted.collect(),
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

/// Returns a random number: clients refuse two certificates of one authority with the same number.
fn serial_number() -> Result<SerialNumber, rcgen::Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    // The number is positive and has no leading zeros.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn verify(
    root: &CertificateDer<'static>,
    certificate: &CertificateDer<'_>,
    name: &str,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
    let verifier =
        verifier.map_err(|_| rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::NotValidForName))?;
    verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now())?;
    Ok(())
}

/// Returns a certificate in PEM form.
pub(super) fn to_pem(certificate: &CertificateDer<'_>) -> String {
    pem::encode_config(
        &pem::Pem::new("CERTIFICATE", certificate.to_vec()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued(authority: &LocalAuthority, name: &str) -> CertificateDer<'static> {
        let key = KeyPair::generate().expect("a key");
        authority.issue(&key, &[name]).expect("a certificate")
    }

    #[test]
    fn the_authority_is_trusted_for_its_own_names_and_no_others() {
        let stored = LocalAuthority::generate().expect("an authority");
        let functions = LocalAuthority::generate_for_functions().expect("an authority");
        let verified = |authority: &LocalAuthority, name: &str| {
            verify(&authority.certificate, &issued(authority, name), name)
        };
        for name in ["localhost", "app.localhost", "127.0.0.1", "::1"] {
            assert_eq!(verified(&stored, name), Ok(()), "{name}");
        }
        for name in [
            "abc.execute-api.us-east-1.amazonaws.com",
            "dynamodb.eu-west-1.amazonaws.com",
            "sqs.cn-north-1.amazonaws.com.cn",
        ] {
            assert!(verified(&stored, name).is_err(), "{name}");
            assert_eq!(verified(&functions, name), Ok(()), "{name}");
        }
        for name in ["example.com", "10.0.0.1"] {
            assert!(verified(&stored, name).is_err(), "{name}");
            assert!(verified(&functions, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_stored_authority_for_hosts_of_aws_is_refused() {
        let restored = |domains: &[&str]| {
            let made = LocalAuthority::permitting(domains).expect("an authority");
            let key = KeyPair::from_pem(&made.key_pem()).expect("a key");
            LocalAuthority::restore(key, made.certificate).err()
        };
        assert_eq!(restored(&["localhost"]), None);
        for (domain, host) in [
            ("execute-api.us-east-1.amazonaws.com", AWS_HOSTS[0]),
            ("cognito-idp.us-east-1.amazonaws.com", AWS_HOSTS[1]),
        ] {
            let refused = restored(&["localhost", domain]).expect("a reason");
            let reason = "clients that trust its certificate would also trust it for";
            assert_eq!(refused, format!("{reason} {host}"));
        }
        for domain in [
            "execute-api.eu-west-1.amazonaws.com",
            "cognito-idp.eu-central-1.amazonaws.com",
            "execute-api.cn-north-1.amazonaws.com.cn",
        ] {
            let refused = restored(&["localhost", domain]).expect("a reason");
            assert_eq!(refused, NAMES_AWS, "{domain}");
        }
    }

    #[test]
    fn an_authority_does_not_trust_another() {
        let [one, other] = [(); 2].map(|()| LocalAuthority::generate().expect("an authority"));
        let certificate = issued(&other, "localhost");
        assert!(verify(&one.certificate, &certificate, "localhost").is_err());
    }
}
