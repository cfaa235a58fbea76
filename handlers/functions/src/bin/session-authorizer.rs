//! Authorizer: speakers need a token or a ticket, listeners do not.

use std::process::ExitCode;

use lambda_runtime::{Error, service_fn};
use live_session::authorizer::handle;
use live_session::config::AuthorizerConfig;
use live_session::start::{start, store_ports};
use stackgen_websocket::authorize::{Authorizer, KeyCache, TokenRules, Verifier};
use stackgen_websocket::{OidcKeys, SystemClock, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config: AuthorizerConfig = start(|name: &str| std::env::var(name).ok())?;
    let keys = KeyCache::new(OidcKeys::new(&config.issuer)?, SystemClock);
    let rules = TokenRules {
        token_use: config.token_use,
        ..TokenRules::new(&config.issuer, [config.audience])
    };
    let authorizer = &Authorizer::new(Verifier::new(rules, keys), config.callers);
    let ports = &store_ports(&config.aws.sdk_config(), config.tables);
    let answer = |event| Box::pin(handle(ports, config.limits, authorizer, event));
    lambda::run(service_fn(answer)).await
}
