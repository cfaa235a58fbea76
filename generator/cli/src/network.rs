//! Proxies and root certificates that the environment configures, as for the `aws` command.

use std::collections::BTreeMap;
use std::path::Path;

use stackgen_network::{NetworkOptions, Proxy, ProxyRules, RootCertificates};

use crate::bounded;
use crate::error::CliError;

/// Maximum size of a file with root certificates, in bytes.
const MAX_BUNDLE: u64 = 16 * bounded::MEBIBYTE;

/// Returns the proxies and root certificates of the environment. The bundle of the profile counts if AWS_CA_BUNDLE is not set.
///
/// # Errors
///
/// If a variable has a bad value, or the bundle cannot be used.
pub(crate) fn network_options(
    bundle_of_profile: Option<&Path>,
) -> Result<NetworkOptions, CliError> {
    let no_proxy = lower_or_upper("NO_PROXY").unwrap_or_default();
    let proxies = ProxyRules::new(proxy("HTTP_PROXY")?, proxy("HTTPS_PROXY")?, &no_proxy);
    let roots = match (variable("AWS_CA_BUNDLE"), bundle_of_profile) {
        (Some(path), _) => Some(read_bundle("AWS_CA_BUNDLE", Path::new(&path))?),
        (None, Some(path)) => Some(read_bundle("`ca_bundle` of the profile", path)?),
        (None, None) => None,
    };
    Ok(NetworkOptions {
        proxies,
        roots,
        emulator: None,
    })
}

/// Returns the variables that name proxies, in both spellings. Node.js uses proxies only with `NODE_USE_ENV_PROXY`.
pub(crate) fn proxy_variables() -> BTreeMap<String, String> {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    let names = names
        .iter()
        .flat_map(|name| [name.to_lowercase(), (*name).to_owned()]);
    names
        .chain(["NODE_USE_ENV_PROXY".to_owned()])
        .filter_map(|name| Some((name.clone(), variable(&name)?)))
        .collect()
}

fn proxy(name: &str) -> Result<Option<Proxy>, CliError> {
    let Some(url) = lower_or_upper(name) else {
        return Ok(None);
    };
    // The message does not repeat the URL, which may contain a password.
    let proxy = Proxy::parse(&url).map_err(|error| {
        CliError::input(format!("cannot use the proxy in {name}: {error}")).hint(error.hint())
    });
    proxy.map(Some)
}

fn read_bundle(setting: &str, path: &Path) -> Result<RootCertificates, CliError> {
    let shown = path.display();
    let bundle = bounded::read(path, MAX_BUNDLE).map_err(|error| {
        CliError::input(format!(
            "{setting} names {shown}, which cannot be read: {error}"
        ))
        .hint("name a file with root certificates in PEM form")
    })?;
    RootCertificates::from_pem(&bundle).map_err(|error| {
        CliError::input(format!(
            "{setting} names {shown}, which cannot be used: {error}"
        ))
        .hint(error.hint())
    })
}

/// Returns a variable whose name is spelled in lower or upper case. Lower case counts more, even if the value is empty.
fn lower_or_upper(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    match std::env::var_os(&lower) {
        Some(_) => variable(&lower),
        None => variable(name),
    }
}

/// Returns the value of a variable, unless it is empty.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.trim().is_empty()).then_some(value)
}
