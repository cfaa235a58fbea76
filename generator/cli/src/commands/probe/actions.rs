//! Actions on the connection, and expectations.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use stackgen_probe::{ClientClose, Expectation, LoadPlan, ProbeCaller, ProbePlan};

use crate::error::{CliError, reason};
use crate::values::duration;

/// Maximum length of a message: API Gateway accepts 128 KB (row M11), and longer messages show its answer.
const MAX_MESSAGE: u64 = 16 * 1024 * 1024;

/// Flags of actions on the connection, and of expectations.
#[derive(clap::Args, Debug)]
pub(crate) struct ActionArgs {
    /// Text message to send; `@FILE` sends a file, `@-` standard input, `@@…` text that begins with `@`; repeatable
    #[arg(long = "send", value_name = "TEXT", help_heading = "Messages")]
    sends: Vec<String>,

    /// Message to wait for: a JSON object or array that it must contain, or part of its text; repeatable
    #[arg(
        long = "expect",
        value_name = "JSON|TEXT",
        help_heading = "Expectations"
    )]
    expects: Vec<String>,

    /// Status of the handshake
    #[arg(long, value_name = "STATUS", default_value_t = 101, value_parser = clap::value_parser!(u16).range(100..600), help_heading = "Expectations")]
    expect_status: u16,

    /// Close code from the other side; 1006 is a close without a close frame
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(1000..5000), help_heading = "Expectations")]
    expect_close: Option<u16>,

    /// Longest wait for an expected message, or for any answer
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration, help_heading = "Expectations")]
    timeout: Duration,

    /// Longest time for each step of connecting
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration, help_heading = "Connection")]
    pub(super) connect_timeout: Duration,

    /// Time to stay connected, such as `90s`, `11m` or `2h`
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Connection")]
    hold: Option<Duration>,

    /// Interval between pings
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Connection")]
    ping_every: Option<Duration>,

    /// How to close the connection: with a close code, or `bare` for a frame without one, which the other side sees as 1005
    #[arg(long, value_name = "bare|CODE", default_value = "1000", value_parser = client_close, help_heading = "Connection")]
    close: ClientClose,

    /// Number of times to send the message and measure the time to its answer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Load")]
    count: Option<u32>,

    /// Number of connections that share the messages
    #[arg(long, value_name = "N", default_value_t = 1, requires = "count", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Load")]
    concurrency: u32,
}

fn client_close(text: &str) -> Result<ClientClose, String> {
    if text == "bare" {
        return Ok(ClientClose::Bare);
    }
    let code = text
        .parse()
        .ok()
        .filter(|code| ClientClose::is_valid_code(*code));
    code.map(ClientClose::Code).ok_or_else(|| {
        "write `bare`, or a code that a close frame may have: 1000, 1001, 3000 to 4999, …"
            .to_owned()
    })
}

impl ActionArgs {
    pub(crate) fn plan(&self, caller: ProbeCaller) -> Result<ProbePlan, CliError> {
        let sends = self.sends.iter().map(|text| message(text));
        let mut sends = sends.collect::<Result<Vec<_>, _>>()?;
        let mut expects: Vec<_> = self
            .expects
            .iter()
            .map(|text| Expectation::parse(text))
            .collect();
        let load = match self.count {
            None => None,
            Some(count) => Some(self.load(count, &mut sends, &mut expects)?),
        };
        Ok(ProbePlan {
            caller,
            expected_status: self.expect_status,
            sends,
            expects,
            timeout: self.timeout,
            hold: self.hold,
            ping_every: self.ping_every,
            expected_close: self.expect_close,
            load,
            close: self.close.clone(),
        })
    }

    /// Moves the message to measure, and its answer, from the lists to the load.
    fn load(
        &self,
        count: u32,
        sends: &mut Vec<String>,
        expects: &mut Vec<Expectation>,
    ) -> Result<LoadPlan, CliError> {
        let (Some(text), true, true) = (sends.pop(), sends.is_empty(), expects.len() < 2) else {
            return Err(
                CliError::input("`--count` measures one message and its answer")
                    .hint("give exactly one `--send` and at most one `--expect`"),
            );
        };
        Ok(LoadPlan {
            text,
            answer: expects.pop(),
            count: count as usize,
            concurrency: self.concurrency as usize,
            timeout: self.timeout,
        })
    }
}

fn message(text: &str) -> Result<String, CliError> {
    let Some(path) = text.strip_prefix('@') else {
        return Ok(text.to_owned());
    };
    if path.starts_with('@') {
        return Ok(path.to_owned());
    }
    let failed = |error: &std::io::Error| {
        CliError::input(format!("cannot read {path}: {}", reason(error))).file(Path::new(path))
    };
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().take(MAX_MESSAGE).read_to_end(&mut bytes),
        path => std::fs::File::open(path)
            .and_then(|file| file.take(MAX_MESSAGE).read_to_end(&mut bytes)),
    };
    read.map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|_| {
        CliError::input(format!("{path} is not UTF-8 text"))
            .hint("send base64: WebSocket APIs accept no binary messages (row M10)")
    })
}
