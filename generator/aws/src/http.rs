//! HTTP client of all calls to AWS, including those that fetch credentials.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::Uri;
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult};
use stackgen_network::{Destination, NetworkOptions, Proxy, ProxyRules, RootCertificates};

/// Client that sends each request through the proxy of its URL. The SDK's own client has one proxy, and the rules may name two.
#[derive(Clone, Debug)]
struct ProxiedClient<C> {
    rules: ProxyRules,
    direct: C,
    http: Option<C>,
    https: Option<C>,
}

/// Returns the client for these proxies and root certificates.
///
/// # Errors
///
/// If the SDK refuses the URL of a proxy.
pub(crate) fn client(options: &NetworkOptions) -> AccountResult<SharedHttpClient> {
    let context = tls_context(options.roots.as_ref())?;
    let rules = &options.proxies;
    let proxied = |proxy: &Option<Proxy>| -> AccountResult<Option<SharedHttpClient>> {
        let config = proxy.as_ref().map(proxy_config).transpose()?;
        Ok(config.map(|config| client_through(config, context.clone())))
    };
    let client = ProxiedClient {
        rules: rules.clone(),
        direct: client_through(ProxyConfig::disabled(), context.clone()),
        http: proxied(&rules.http)?,
        https: proxied(&rules.https)?,
    };
    Ok(SharedHttpClient::new(client))
}

fn client_through(proxy: ProxyConfig, context: TlsContext) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone())
            .build()
    })
}

fn tls_context(roots: Option<&RootCertificates>) -> AccountResult<TlsContext> {
    let Some(roots) = roots else {
        return Ok(TlsContext::default());
    };
    let mut store = TrustStore::empty();
    for certificate in roots.pem() {
        store.add_pem_certificate(certificate.as_bytes());
    }
    let context = TlsContext::builder().with_trust_store(store).build();
    context.map_err(|error| unusable(format!("cannot set up TLS: {error}")))
}

fn proxy_config(proxy: &Proxy) -> AccountResult<ProxyConfig> {
    let config = ProxyConfig::all(proxy.url_with_credentials());
    // The error of the SDK may repeat the URL, which contains the password.
    config.map_err(|_| unusable(format!("cannot use the proxy {proxy}")))
}

fn unusable(message: String) -> AccountError {
    AccountError::before_calls(AccountErrorKind::BadConfiguration, message)
}

impl<C> ProxiedClient<C> {
    fn of_request(&self, uri: &str) -> &C {
        let uri: Uri = uri.parse().unwrap_or_default();
        let secure = uri.scheme_str() != Some("http");
        let default_port = if secure { 443 } else { 80 };
        let destination = Destination {
            secure,
            host: uri.host().unwrap_or_default(),
            port: uri.port_u16().unwrap_or(default_port),
        };
        let proxied = match secure {
            true => self.https.as_ref(),
            false => self.http.as_ref(),
        };
        let is_proxied = self.rules.proxy_for(destination).is_some();
        proxied.filter(|_| is_proxied).unwrap_or(&self.direct)
    }
}

impl HttpClient for ProxiedClient<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // The inner clients cache their connectors, so this one need not.
        let connector = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(ProxiedClient {
            rules: self.rules.clone(),
            direct: connector(&self.direct),
            http: self.http.as_ref().map(connector),
            https: self.https.as_ref().map(connector),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.direct.connector_metadata()
    }
}

impl HttpConnector for ProxiedClient<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.of_request(request.uri()).call(request)
    }
}
