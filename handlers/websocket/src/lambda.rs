//! Code for the `main` function of every Lambda function: logs, metrics, and the loop over events.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use lambda_runtime::{Error, LambdaEvent, service_fn};
//! use serde_json::{Value, json};
//! use stackgen_websocket::{Environment, lambda};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> ExitCode {
//!     lambda::exit_code(run().await)
//! }
//!
//! async fn run() -> Result<(), Error> {
//!     let mut environment = Environment::new(|name| std::env::var(name).ok());
//!     let telemetry = lambda::Telemetry::read(&mut environment);
//!     let table = environment.text("MY_TABLE");
//!     // Before anything can fail, so that failures are logged.
//!     telemetry.install(&["my_function"], "MyNamespace")?;
//!     let table = environment.finish(table)?;
//!     lambda::run(service_fn(|_event: LambdaEvent<Value>| async {
//!         Ok::<_, Error>(json!({"statusCode": 200}))
//!     }))
//!     .await
//! }
//! ```

use std::fmt::{Debug, Display};
use std::io;
use std::process::ExitCode;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{FutureExt, Inspect};
use futures_util::stream::Stream;
use lambda_runtime::tower::Layer;
use lambda_runtime::{
    Diagnostic, Error, IntoFunctionResponse, LambdaEvent, LambdaInvocation, Runtime, Service,
};
use serde::{Deserialize, Serialize};
use tracing::Level;
use tracing::instrument::{Instrument, Instrumented};

use crate::{Environment, Lookup, logs, metrics};

/// Settings for logs and metrics.
#[derive(Clone, Debug)]
pub struct Telemetry {
    level: Level,
    function_name: String,
}

impl Telemetry {
    /// Reads `LOG_LEVEL`, and the function's name, which Lambda sets.
    pub fn read(environment: &mut Environment<impl Lookup>) -> Self {
        Telemetry {
            level: logs::level(environment),
            function_name: environment.text("AWS_LAMBDA_FUNCTION_NAME"),
        }
    }

    /// Starts to log to stdout and to collect metrics for `namespace`. `own` lists the crates to which the log level
    /// applies, see [`logs::subscriber`].
    ///
    /// # Errors
    ///
    /// Fails if the process has a logger or a metrics recorder already.
    pub fn install(&self, own: &[&str], namespace: &str) -> Result<(), Error> {
        let subscriber = logs::subscriber(self.level, own, io::stdout);
        tracing::subscriber::set_global_default(subscriber)?;
        metrics::install(namespace, &self.function_name)?;
        Ok(())
    }
}

/// Handles one event after the other until Lambda ends the process.
///
/// Log lines get a `lambdaRequestId`, and metrics are written after every event.
///
/// # Errors
///
/// Fails if the Lambda Runtime API cannot be reached.
///
/// # Panics
///
/// Panics if Lambda did not start this process.
pub async fn run<S, Event, Response, Body, Chunks, Chunk, ChunkError>(
    service: S,
) -> Result<(), Error>
where
    S: Service<LambdaEvent<Event>, Response = Response>,
    S::Future: Future<Output = Result<Response, S::Error>>,
    S::Error: Into<Diagnostic> + Debug,
    Event: for<'de> Deserialize<'de>,
    Response: IntoFunctionResponse<Body, Chunks>,
    Body: Serialize,
    Chunks: Stream<Item = Result<Chunk, ChunkError>> + Unpin + Send + 'static,
    Chunk: Into<Bytes> + Send,
    ChunkError: Into<Error> + Send + Debug,
{
    Runtime::new(service).layer(InvocationLayer).run().await
}

/// Returns the exit code of the process, and logs an error. Lambda itself only logs that the process ended.
pub fn exit_code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "Function stopped");
            ExitCode::FAILURE
        }
    }
}

/// Adds a span to every invocation, and writes metrics after it.
///
/// The runtime's own layer names Lambda's request ID `requestId`, which here is API Gateway's.
struct InvocationLayer;

impl<S> Layer<S> for InvocationLayer {
    type Service = InvocationService<S>;

    fn layer(&self, inner: S) -> InvocationService<S> {
        InvocationService(inner)
    }
}

struct InvocationService<S>(S);

impl<S> Service<LambdaInvocation> for InvocationService<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
{
    type Response = ();
    type Error = Error;
    type Future = Instrumented<Inspect<S::Future, fn(&Result<(), Error>)>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let id = &invocation.context.request_id;
        metrics::set_invocation(id);
        // At level error, so that the ID is on all lines at any LOG_LEVEL.
        let span = tracing::error_span!("invocation", lambdaRequestId = id);
        let future = span.in_scope(|| self.0.call(invocation));
        let flush: fn(&Result<(), Error>) = flush;
        future.inspect(flush).instrument(span)
    }
}

/// Writes the metrics. A failure loses them, but does not fail the request.
fn flush(_: &Result<(), Error>) {
    if let Err(error) = metrics::flush(io::stdout()) {
        tracing::warn!(%error, "Cannot write metrics");
    }
}
