//! The summary of all runs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::command::Invocation;
use crate::run::Run;

/// The runs of each command.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, Command>);

#[derive(Debug, Default)]
struct Command {
    endings: BTreeMap<String, usize>,
    times: Vec<Duration>,
    /// The longest CPU time.
    cpu: Duration,
    /// The largest resident set, in bytes.
    memory: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, invocation: &Invocation, run: &Run) {
        let command = self.0.entry(invocation.command().to_owned()).or_default();
        let ending = match run.status.code() {
            Some(code) if run.was_ready => format!("served, exit {code}"),
            Some(code) => format!("exit {code}"),
            None => run.status.to_string(),
        };
        *command.endings.entry(ending).or_default() += 1;
        command.times.push(run.time);
        command.cpu = command.cpu.max(run.cpu);
        command.memory = command.memory.max(run.memory);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, command) in &self.0 {
            let mut times = command.times.clone();
            times.sort();
            let endings = command.endings.iter();
            let endings: Vec<String> = endings
                .map(|(ending, count)| format!("{ending}: {count}"))
                .collect();
            let (p50, max) = (times[times.len() / 2], times[times.len() - 1]);
            writeln!(
                f,
                "{name:>6}  {} runs, {}; p50 {} ms, max {} ms ({} ms of CPU time), {} MiB at most",
                times.len(),
                endings.join(", "),
                p50.as_millis(),
                max.as_millis(),
                command.cpu.as_millis(),
                command.memory >> 20,
            )?;
        }
        Ok(())
    }
}
