//! What a gateway is told when it starts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::Place;

/// How a gateway behaves. [`Settings::default`] is API Gateway's behaviour.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which account and region its ARNs name.
    pub place: Place,
    /// What ends connections and refuses messages.
    pub limits: Limits,
    /// How functions run.
    pub functions: FunctionSettings,
    /// How the control plane answers.
    pub control: ControlSettings,
}

/// How the control plane answers. Both are off by default: they make it as slow as API Gateway's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlSettings {
    /// How many answers tell of a new deployment that it is `PENDING` (row D3).
    pub pending_deployments: u32,
    /// How often it may be called (row D15); as often as anybody likes when left out.
    pub rates: Option<Rates>,
}

/// Limits of connections and messages. All are API Gateway's own, and can be made shorter to see what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A connection without data either way for so long is closed (row M13).
    pub idle: Duration,
    /// A connection is closed after so long, whatever it does (row M14).
    pub connection: Duration,
    /// The longest that an integration of a WebSocket API may take, whatever time-out it sets itself (row C8), and an
    /// authorizer.
    pub integration: Duration,
    /// The largest frame, in bytes (row M11).
    pub frame: usize,
    /// The largest message, in bytes (row M11); also of a post to a connection (row K6).
    pub message: usize,
    /// How many bytes may wait for a client that does not read; a post over that is refused (row K7).
    pub client_buffer: usize,
    /// How many messages of one connection may be with functions at a time. API Gateway tells no number and keeps no
    /// order; with 1, the default, functions see a connection's messages one after another, in order.
    pub messages_at_a_time: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            idle: Duration::from_secs(10 * 60),
            connection: Duration::from_secs(2 * 60 * 60),
            integration: Duration::from_secs(29),
            frame: 32 * 1024,
            message: 128 * 1024,
            client_buffer: 1024 * 1024,
            messages_at_a_time: 1,
        }
    }
}

/// How functions run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// How many processes one version of a function may have at a time; more invocations are throttled or wait.
    pub environments: usize,
    /// How long a process may take until it asks for its first event: Lambda's 10 s.
    pub init: Duration,
    /// How long a process without work is kept.
    pub keep: Duration,
    /// How long an asynchronous invocation that failed waits for its first retry, and twice that for its second. Lambda's are
    /// a minute and two.
    pub retry: Duration,
    /// `PATH` of processes, and where interpreters are looked for. `None` is Lambda's own `PATH`.
    pub path: Option<String>,
    /// The Python that has `awslambdaric`. `None` looks for `python3.x` and `python3` on the path.
    pub python: Option<PathBuf>,
    /// A `node_modules` folder that has `aws-lambda-ric`, tried after the one beside the code.
    pub node_modules: Option<PathBuf>,
    /// Where copies of code are kept while the gateway runs. `None` is the system's folder for temporary files.
    pub scratch: Option<PathBuf>,
    /// Starts the process that kills what is left of functions if the gateway itself is killed. Without it they end when
    /// they notice that the gateway is gone, or when the next gateway starts.
    pub watcher: Option<WatcherCommand>,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        FunctionSettings {
            environments: 10,
            init: Duration::from_secs(10),
            keep: Duration::from_secs(5 * 60),
            retry: Duration::from_secs(1),
            path: None,
            python: None,
            node_modules: None,
            scratch: None,
            watcher: None,
        }
    }
}

/// Command of a program that calls `watch` of `stackgen-gateway-lambda`. The program receives the folder of the gateway's
/// code store as its last argument and the pipe as standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatcherCommand {
    /// Program to run.
    pub program: PathBuf,
    /// Arguments before the folder.
    pub arguments: Vec<OsString>,
}

/// Rates of the control plane. API Gateway's are the default; a local gateway keeps none unless it is told to.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Calls a second.
    pub rate: f64,
    /// Calls at once.
    pub burst: u32,
    /// The time from one CreateDeployment to the next.
    pub deployments: Duration,
}

impl Default for Rates {
    fn default() -> Self {
        Rates {
            rate: 10.0,
            burst: 40,
            deployments: Duration::from_secs(5),
        }
    }
}
