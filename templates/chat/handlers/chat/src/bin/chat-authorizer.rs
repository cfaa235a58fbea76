//! Authorizer: admits callers with a valid token.

use std::process::ExitCode;

use chat::config::AuthorizerConfig;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stackgen_websocket::authorize::{Authorizer, KeyCache, TokenRules, Verifier};
use stackgen_websocket::{Environment, OidcKeys, SystemClock, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lambda::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let mut environment = Environment::new(|name| std::env::var(name).ok());
    let config = AuthorizerConfig::read(&mut environment);
    config.telemetry.install(&["chat"], "Chat")?;
    let config = environment.finish(config)?;
    let keys = KeyCache::new(OidcKeys::new(&config.issuer)?, SystemClock);
    let verifier = Verifier::new(TokenRules::new(&config.issuer, [&config.audience]), keys);
    let authorizer = Authorizer::new(verifier, config.callers);
    lambda::run(service_fn(|event: LambdaEvent<_>| authorizer.handle(event))).await
}
