//! Checks of every run.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use crate::command::Invocation;
use crate::input::Input;
use crate::run::{CPU_LIMIT, Run, TIME_LIMIT};

/// No run may need more, in bytes: a multiple of what any needs in builds without optimisation.
const MEMORY_LIMIT: u64 = 256 << 20;

/// A run that failed a check.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    seed: u64,
    index: u64,
    line: String,
    reason: String,
    /// The folder with the input and the output.
    saved: PathBuf,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation {
            seed,
            index,
            line,
            reason,
            saved,
        } = self;
        let saved = saved.display();
        write!(
            f,
            "input {index} of seed {seed}: {line}: {reason}; saved in {saved}"
        )
    }
}

/// Checks a run, and saves the input of one that fails.
pub(crate) fn judge(input: &Input, invocation: &Invocation, run: &Run) -> Option<Violation> {
    let reason = reason(invocation, run)?;
    Some(Violation {
        seed: input.seed,
        index: input.index,
        line: invocation.to_string(),
        reason,
        saved: save(input, invocation, run),
    })
}

fn reason(invocation: &Invocation, run: &Run) -> Option<String> {
    let stderr = String::from_utf8_lossy(&run.stderr);
    if let Some(panic) = stderr.lines().find(|line| line.contains("panicked at")) {
        return Some(panic.to_owned());
    }
    if run.is_killed {
        return Some(format!("did not end within {TIME_LIMIT:?}"));
    }
    let Some(code) = run.status.code() else {
        if run.cpu >= CPU_LIMIT {
            return Some(format!("needed {CPU_LIMIT:?} of CPU time"));
        }
        return Some(format!("ended by signal {:?}", run.status.signal()));
    };
    if !invocation.exit_codes(run.was_ready).contains(&code) {
        return Some(format!("exit code {code}"));
    }
    if code == 2 && run.stderr.is_empty() && run.stdout.is_empty() {
        return Some("exit code 2 without a reason".to_owned());
    }
    if run.memory > MEMORY_LIMIT {
        return Some(format!("{} MiB of memory", run.memory >> 20));
    }
    (!run.left.is_empty()).then(|| format!("left {}", run.left.join(", ")))
}

/// Writes the input and the output to a folder of this input.
fn save(input: &Input, invocation: &Invocation, run: &Run) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutate");
    let name = format!("{}-{}-{}", input.seed, input.index, invocation.command());
    let folder = folder.join(name);
    fs::create_dir_all(&folder).unwrap();
    let about = format!("{} {:?}\n{invocation}\n", input.origin.name, input.mutation);
    for (name, bytes) in [
        ("about", about.as_bytes()),
        ("before", input.origin.text.as_bytes()),
        ("input", &input.bytes),
        ("stdout", &run.stdout),
        ("stderr", &run.stderr),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
    folder
}

#[cfg(test)]
mod tests {
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::*;

    /// A run without a failure, whose wait status is this.
    fn run(status: i32) -> Run {
        Run {
            status: ExitStatus::from_raw(status),
            is_killed: false,
            was_ready: false,
            time: Duration::from_millis(2),
            cpu: Duration::from_millis(1),
            memory: 1 << 20,
            stdout: b"text".to_vec(),
            stderr: Vec::new(),
            left: Vec::new(),
        }
    }

    fn reason_of(line: &str, run: &Run) -> String {
        let words = line.split_whitespace().map(str::to_owned).collect();
        reason(&Invocation(words), run).unwrap_or_default()
    }

    #[test]
    fn documented_exit_codes_are_no_failure_and_others_are() {
        let exit = |code: i32| run(code << 8);
        assert_eq!(reason_of("lint a", &exit(3)), "");
        assert_eq!(reason_of("diff a b", &exit(2)), "");
        assert_eq!(reason_of("diff a b", &exit(3)), "exit code 3");
        assert_eq!(reason_of("lint a", &exit(1)), "exit code 1");
        assert_eq!(reason_of("graph a", &exit(101)), "exit code 101");
        assert_eq!(reason_of("dev a", &exit(2)), "");
        assert_eq!(reason_of("dev a", &exit(0)), "exit code 0");
        let served = Run {
            was_ready: true,
            ..exit(0)
        };
        assert_eq!(reason_of("dev a", &served), "");
    }

    #[test]
    fn a_panic_a_signal_a_limit_and_what_is_left_are_failures() {
        let panicked = Run {
            stderr: b"thread 'x' panicked at a.rs:1:2:".to_vec(),
            ..run(0)
        };
        assert_eq!(
            reason_of("lint a", &panicked),
            "thread 'x' panicked at a.rs:1:2:"
        );
        assert_eq!(reason_of("lint a", &run(6)), "ended by signal Some(6)");
        let killed = Run {
            is_killed: true,
            ..run(9)
        };
        assert_eq!(reason_of("lint a", &killed), "did not end within 600s");
        let busy = Run {
            cpu: Duration::from_secs(20),
            ..run(24)
        };
        assert_eq!(reason_of("lint a", &busy), "needed 20s of CPU time");
        let large = Run {
            memory: 300 << 20,
            ..run(0)
        };
        assert_eq!(reason_of("lint a", &large), "300 MiB of memory");
        let untidy = Run {
            left: vec!["process 7".to_owned()],
            ..run(0)
        };
        assert_eq!(reason_of("lint a", &untidy), "left process 7");
        let silent = Run {
            stdout: Vec::new(),
            ..run(2 << 8)
        };
        assert_eq!(reason_of("lint a", &silent), "exit code 2 without a reason");
    }
}
