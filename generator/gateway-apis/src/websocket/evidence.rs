//! Log of an invocation, as evidence if the function fails.

use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// Number of log lines that are kept.
const MAX_LINES: usize = 5;
/// Length of a line that is kept, in characters.
const MAX_LINE_CHARS: usize = 300;
/// Longest wait for the log of an invocation that has ended. It usually arrives at once.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// Log of an invocation, which is read only if the function fails.
#[derive(Debug)]
pub struct InvocationLog(UnboundedReceiver<Vec<String>>);

impl InvocationLog {
    /// Creates a log, and the sender to pass on with the invocation.
    pub fn new() -> (UnboundedSender<Vec<String>>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, InvocationLog(receiver))
    }

    /// Returns the first lines that the function itself wrote.
    pub async fn first_lines(mut self) -> Vec<String> {
        let lines = tokio::time::timeout(MAX_WAIT, self.0.recv()).await;
        let lines = lines.ok().flatten().unwrap_or_default();
        let own = lines.iter().filter(|line| !is_of_lambda(line));
        let shortened = own.take(MAX_LINES);
        shortened
            .map(|line| line.chars().take(MAX_LINE_CHARS).collect())
            .collect()
    }
}

/// Decides whether Lambda wrote a line, in either log format.
fn is_of_lambda(line: &str) -> bool {
    const STARTS: [&str; 4] = [
        "START RequestId:",
        "END RequestId:",
        "REPORT RequestId:",
        "INIT_",
    ];
    line.trim().is_empty()
        || STARTS.iter().any(|start| line.starts_with(start))
        || (line.starts_with('{') && line.contains("\"type\":\"platform."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_lines_of_the_function_are_kept() {
        let (sender, log) = InvocationLog::new();
        let long = "x".repeat(1000);
        let lines = [
            "START RequestId: 1 Version: $LATEST",
            r#"{"time":"t","type":"platform.start","record":{}}"#,
            "one",
            "",
            &long,
            r#"{"level":"ERROR"}"#,
            "four",
            "five",
            "six",
            "END RequestId: 1",
        ];
        sender.send(lines.map(str::to_owned).to_vec()).unwrap();
        let kept = log.first_lines().await;
        let short = "x".repeat(MAX_LINE_CHARS);
        assert_eq!(
            kept,
            ["one", &short, r#"{"level":"ERROR"}"#, "four", "five"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_never_arrives_is_empty() {
        let (sender, log) = InvocationLog::new();
        assert!(log.first_lines().await.is_empty());
        drop(sender);
        let (_, log) = InvocationLog::new();
        assert!(log.first_lines().await.is_empty());
    }
}
