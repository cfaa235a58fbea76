//! TLS of the gateway's ports: a local certificate authority, certificates for the names that the gateway stands for, and
//! the environment variables by which functions trust it and reach those names.

mod authority;
mod authority_file;
mod certificates;
mod hosts;
mod trust;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use stackgen_gateway_apis::server::{AwsHosts, ServerTls};
use stackgen_gateway_common::{ApiId, ArnScope};
use thiserror::Error;

pub use authority_file::AuthorityError;

use authority::LocalAuthority;
use certificates::CertificateIssuer;
use hosts::HostTable;
use trust::TrustFiles;

/// Reason why TLS cannot be prepared.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate authority cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A certificate cannot be created.
    #[error("cannot create certificates: {0}")]
    Certificate(String),
    /// The files for functions cannot be written.
    #[error("cannot write the files by which functions trust the gateway: {0}")]
    Files(#[source] io::Error),
}

/// TLS of one gateway.
pub(crate) struct GatewayTls {
    /// For ports that accept WebSockets, which have no HTTP/2 here.
    config: Arc<ServerConfig>,
    /// For the control endpoint.
    config_with_http2: Arc<ServerConfig>,
    hosts: Arc<HostTable>,
    scope: ArnScope,
    trust: TrustFiles,
    certificate: PathBuf,
}

impl GatewayTls {
    /// Prepares TLS. `authority` is the folder of the certificate authority, which is created if there is none; without it
    /// the authority is new at every start. `files` is the folder for files that functions read.
    pub(crate) fn open(
        authority: Option<&Path>,
        files: &Path,
        scope: &ArnScope,
    ) -> Result<Self, TlsError> {
        let folder = authority;
        let authority = match folder {
            Some(folder) => authority_file::open(folder)?,
            None => LocalAuthority::generate()
                .map_err(|error| TlsError::Certificate(error.to_string()))?,
        };
        let functions = LocalAuthority::generate_for_functions()
            .map_err(|error| TlsError::Certificate(error.to_string()))?;
        let trust = TrustFiles::write(&files.join("tls"), &authority.pem(), &functions.pem());
        let trust = trust.map_err(TlsError::Files)?;
        let hosts = HostTable::create(trust.hosts()).map_err(TlsError::Files)?;
        let hosts = Arc::new(hosts);
        let certificate = match folder {
            Some(folder) => authority_file::certificate_path(folder),
            None => trust.certificate(),
        };
        let issuer = CertificateIssuer::new(authority, functions, hosts.clone());
        let issuer = Arc::new(issuer.map_err(TlsError::Certificate)?);
        let config = |protocols: &[&[u8]]| {
            certificates::server_config(&issuer, protocols).map_err(TlsError::Certificate)
        };
        Ok(GatewayTls {
            config: config(&[b"http/1.1"])?,
            config_with_http2: config(&[b"h2", b"http/1.1"])?,
            hosts,
            scope: scope.clone(),
            trust,
            certificate,
        })
    }

    /// Returns the environment variables of functions.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.trust.variables()
    }

    /// Returns the path of the certificate of the authority for loopback.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Returns the host that stands for all user pools: `cognito-idp.{region}.amazonaws.com`.
    pub(crate) fn user_pool_host(&self) -> String {
        self.scope.service_host("cognito-idp")
    }

    /// Makes functions reach the user pools' host at this port, and with `all` every other host of AWS that is not an API's.
    /// Returns the TLS of the server there.
    pub(crate) fn serve_services(&self, port: u16, all: bool) -> io::Result<ServerTls> {
        self.hosts.insert(self.user_pool_host(), port)?;
        if all {
            self.hosts.insert_all(port)?;
        }
        Ok(ServerTls {
            config: self.config_with_http2.clone(),
            hosts: AwsHosts::Services,
        })
    }

    /// Makes functions reach an API's host at this port. Returns the TLS of the server there.
    pub(crate) fn serve_api(&self, api: &ApiId, port: u16) -> io::Result<ServerTls> {
        self.hosts.insert(api_key(api), port)?;
        Ok(ServerTls {
            config: self.config.clone(),
            hosts: AwsHosts::Api(api.to_string().into()),
        })
    }

    /// Stops serving an API's host.
    pub(crate) fn remove_api(&self, api: &ApiId) {
        // The entry of a deleted API names a closed port. If it cannot be removed, functions reach nothing there.
        let _ = self.hosts.remove(&api_key(api));
    }
}

/// Returns the key of an API's hosts in the table.
fn api_key(api: &ApiId) -> String {
    format!("{api}.execute-api")
}
