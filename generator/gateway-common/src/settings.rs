//! Settings of a gateway.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::ArnScope;

/// Settings of a gateway. The default values are API Gateway's.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Account and region in ARNs.
    pub scope: ArnScope,
    /// Limits of connections and messages.
    pub limits: Limits,
    /// Settings of functions.
    pub functions: FunctionSettings,
    /// Settings of the control plane.
    pub control: ControlSettings,
}

/// Settings that make the control plane as slow as API Gateway's. All are off by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlSettings {
    /// Number of answers in which a new deployment has the status `PENDING` (row D3).
    pub pending_deployments: u32,
    /// Rate limits of calls (row D15). `None` means no limits.
    pub rates: Option<RateLimits>,
}

/// Limits of connections and messages. They can be lowered to see what happens at a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time after which a connection without data in either direction is closed (row M13).
    pub idle: Duration,
    /// Time after which any connection is closed (row M14).
    pub connection: Duration,
    /// Maximum duration of a WebSocket API's integration, whatever timeout it sets (row C8), and of an authorizer.
    pub integration: Duration,
    /// Maximum size of a frame, in bytes (row M11).
    pub frame: usize,
    /// Maximum size of a message (row M11) and of a post to a connection (row K6), in bytes.
    pub message: usize,
    /// Bytes that may wait for a client that does not read. Posts beyond that are refused (row K7).
    pub client_buffer: usize,
    /// Number of messages of one connection that functions may handle at a time. API Gateway documents no number and
    /// guarantees no order. With 1, the default, functions get the messages of a connection one after another, in
    /// order.
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

/// Settings of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// Maximum number of processes per version of a function. Further invocations are throttled or wait.
    pub environments: usize,
    /// Time that a process has to ask for its first event. Lambda's limit is 10 s.
    pub init: Duration,
    /// Time after which an idle process is stopped.
    pub keep: Duration,
    /// Delay before the first retry of a failed asynchronous invocation. The second retry waits twice as long. Lambda
    /// waits one minute and two minutes.
    pub retry: Duration,
    /// `PATH` of function processes, in which interpreters are looked up, too. `None` means Lambda's own `PATH`.
    pub path: Option<String>,
    /// Variables of this machine that name its proxies, such as `HTTPS_PROXY` and `no_proxy`. Functions get them, and reach
    /// AWS's names and this machine without a proxy all the same.
    pub proxies: BTreeMap<String, String>,
    /// Absolute folder of the project. Virtual environments of Python and packages of Node are looked up there.
    pub project: Option<PathBuf>,
    /// Virtual environment of Python that is active where the gateway was started (`VIRTUAL_ENV`).
    pub virtual_env: Option<PathBuf>,
    /// Folder for copies of code while the gateway runs. `None` means the system's folder for temporary files.
    pub scratch: Option<PathBuf>,
    /// Command of the watcher process, which kills the processes of functions if the gateway is killed. Without it they
    /// end when they notice that the gateway is gone, or when the next gateway starts. The program calls `watch` of
    /// `stackgen-gateway-lambda`; it receives the folder of the gateway's code store as its last argument and the pipe as
    /// standard input.
    pub watcher: Option<HelperCommand>,
    /// Command of the program that mounts layers at `/opt` and then becomes the process of a function. It calls
    /// `mount_layers` of `stackgen-gateway-lambda`; its last arguments are the folder of the layers, and the program with its
    /// arguments. Without a program it only tries whether the machine permits it.
    pub layer_mount: Option<HelperCommand>,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        FunctionSettings {
            environments: 10,
            init: Duration::from_secs(10),
            keep: Duration::from_secs(5 * 60),
            retry: Duration::from_secs(1),
            path: None,
            proxies: BTreeMap::new(),
            project: None,
            virtual_env: None,
            scratch: None,
            watcher: None,
            layer_mount: None,
        }
    }
}

/// Command of a program that helps the gateway: its own binary with internal arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperCommand {
    /// Program to run.
    pub program: PathBuf,
    /// First arguments.
    pub arguments: Vec<OsString>,
}

/// Rate limits of the control plane. The defaults are API Gateway's; a local gateway has no limits unless its settings
/// ask for them.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimits {
    /// Calls per second.
    pub rate: f64,
    /// Calls at once.
    pub burst: u32,
    /// Minimum time between two calls of `CreateDeployment`.
    pub deployments: Duration,
}

impl Default for RateLimits {
    fn default() -> Self {
        RateLimits {
            rate: 10.0,
            burst: 40,
            deployments: Duration::from_secs(5),
        }
    }
}
