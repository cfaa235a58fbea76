//! TLS on the gateway's ports, and functions that call them as they call AWS.

mod functions;
mod hooks;
mod ports;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway_stack::StackTemplate;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{api, template_from_text};

/// Returns the template with a function of this runtime, whose code is in the folder `code` beside the template.
fn template(runtime: &str, folder: &Path) -> StackTemplate {
    let text = include_str!("template.yaml").replace("RUNTIME", runtime);
    StackTemplate {
        file: folder.join("template.yaml").display().to_string(),
        ..template_from_text(&text)
    }
}

/// Returns the address of the template's API.
fn address(gateway: &Gateway) -> SocketAddr {
    let endpoint = api(gateway, "socket").api_endpoint.clone();
    let endpoint = endpoint.expect("a port");
    let authority = endpoint.strip_prefix("ws://").expect("a WebSocket API");
    authority.parse().expect("an address")
}

/// Returns a client that trusts only the certificate in this file.
fn trusting(certificate: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(certificate).expect("a file") {
        roots
            .add(certificate.expect("a certificate"))
            .expect("a root");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions");
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    Arc::new(config).into()
}

/// Returns a client that trusts a gateway as functions do, for loopback and for hosts of AWS.
fn client_of(gateway: &Gateway) -> TlsConnector {
    let folder = gateway.account().functions.folder();
    trusting(&folder.join("tls/functions.pem"))
}

/// Connects to an address with TLS and verifies that the certificate is one of `name`.
async fn connect(
    client: &TlsConnector,
    address: SocketAddr,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    client.connect(name, stream).await
}
