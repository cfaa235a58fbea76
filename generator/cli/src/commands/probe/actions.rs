//! What to do on the connection, and what is wanted of it.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use stackgen_probe::{Caller, Closing, Expectation, Load, Plan};

use crate::error::{CliError, reason};
use crate::values::duration;

/// More is not read of a file that is to be sent: API Gateway takes 128 KB (row M11), and some more shows what it does.
const MESSAGE: u64 = 16 * 1024 * 1024;

/// What to do.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "What to do")]
pub(crate) struct ActionArgs {
    /// A text message to send; `@FILE` sends a file, `@-` what comes on stdin, `@@…` text that begins with an `@`
    #[arg(long = "send", value_name = "TEXT")]
    sends: Vec<String>,

    /// A message that must come in: a JSON object or array that it must have, or text that it must contain
    #[arg(long = "expect", value_name = "JSON|TEXT")]
    expects: Vec<String>,

    /// The status that the handshake must be answered with
    #[arg(long, value_name = "STATUS", default_value_t = 101, value_parser = clap::value_parser!(u16).range(100..600))]
    expect_status: u16,

    /// The close code that the other side must end the connection with; 1006 if without any
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(1000..5000))]
    expect_close: Option<u16>,

    /// How long to wait for what must come in, or for any answer
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    timeout: Duration,

    /// How long each step of connecting may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) connect_timeout: Duration,

    /// How long to stay connected: `90s`, `11m`, `2h`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    hold: Option<Duration>,

    /// How often to ping meanwhile
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ping_every: Option<Duration>,

    /// How many times to send the message and wait for its answer, which is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// How many connections share in that
    #[arg(long, value_name = "N", default_value_t = 1, requires = "count", value_parser = clap::value_parser!(u32).range(1..=1000))]
    concurrency: u32,

    /// How to end: `bare`, which the other side sees as 1005, or with a code
    #[arg(long, value_name = "bare|CODE", default_value = "1000", value_parser = closing)]
    close: Closing,
}

fn closing(text: &str) -> Result<Closing, String> {
    if text == "bare" {
        return Ok(Closing::Bare);
    }
    let code = text.parse().ok().filter(|code| Closing::can_be_sent(*code));
    code.map(Closing::Code).ok_or_else(|| {
        "it is `bare`, or a code that a close frame may carry: 1000, 1001, 3000 to 4999, …"
            .to_owned()
    })
}

impl ActionArgs {
    pub(crate) fn plan(&self, caller: Caller) -> Result<Plan, CliError> {
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
        Ok(Plan {
            caller,
            status: self.expect_status,
            sends,
            expects,
            timeout: self.timeout,
            hold: self.hold,
            ping_every: self.ping_every,
            close_code: self.expect_close,
            load,
            closing: self.close.clone(),
        })
    }

    /// The message that is measured, and its answer, are not sent and waited for once more.
    fn load(
        &self,
        count: u32,
        sends: &mut Vec<String>,
        expects: &mut Vec<Expectation>,
    ) -> Result<Load, CliError> {
        let (Some(text), true, true) = (sends.pop(), sends.is_empty(), expects.len() < 2) else {
            return Err(
                CliError::input("`--count` measures one message and its answer")
                    .hint("give exactly one `--send`, and one `--expect` at most"),
            );
        };
        Ok(Load {
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
        "-" => std::io::stdin().take(MESSAGE).read_to_end(&mut bytes),
        path => {
            std::fs::File::open(path).and_then(|file| file.take(MESSAGE).read_to_end(&mut bytes))
        }
    };
    read.map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|_| {
        CliError::input(format!("{path} is not UTF-8 text"))
            .hint("WebSocket APIs take no binary messages (row M10); send base64")
    })
}
