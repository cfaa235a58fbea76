//! Options for reaching an account.

use std::fmt;

use stackgen_network::NetworkOptions;

/// Options for reaching an account. Whatever is absent comes from AWS's usual sources: environment variables, profiles,
/// single sign-on, the machine's role.
#[derive(Clone, Debug, Default)]
pub struct AccessOptions {
    /// Profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Region if neither `region` nor another source sets one.
    pub default_region: Option<String>,
    /// Endpoint for every service, instead of AWS's.
    pub endpoint_url: Option<String>,
    /// Access key for an endpoint that does not check it.
    pub access_key: Option<AccessKey>,
    /// ARN of a role to assume with the credentials that are found.
    pub assume_role: Option<String>,
    /// Code of the device that [`ProfileSettings::mfa_device`](crate::ProfileSettings::mfa_device) returns.
    pub mfa_code: Option<MfaCode>,
    /// Proxies and root certificates.
    pub network: NetworkOptions,
    /// Token issuer to rename in descriptions.
    pub issuer: Option<IssuerAlias>,
}

/// Code of a device for multi-factor authentication. AWS accepts each code once.
#[derive(Clone)]
pub struct MfaCode(pub String);

/// Without the code.
impl fmt::Debug for MfaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaCode")
    }
}

/// Access key of an IAM user.
#[derive(Clone)]
pub struct AccessKey {
    /// Access key ID.
    pub id: String,
    /// Secret access key.
    pub secret: String,
}

/// Without the secret.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// A token issuer of the local gateway, and the issuer that it replaces. An API's description names the declared one, so
/// that its digest equals the template's.
#[derive(Clone, Debug)]
pub struct IssuerAlias {
    /// URL of the local issuer.
    pub local: String,
    /// URL that the template declares.
    pub declared: String,
}
