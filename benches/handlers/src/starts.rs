//! Time from the start of a process to its first response, and its memory then and a thousand events later.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stackgen_websocket_testing::{Function, InvocationResult};
use tokio::time::{MissedTickBehavior, interval};

use crate::Result;
use crate::stack::{Session, Stack, answer};

/// Interval of audio chunks: a speaker may send 50 per second.
const CHUNK: Duration = Duration::from_millis(21);

/// A function and its event.
struct Case {
    /// Name of the binary, or of the script that runs it in Python.
    function: &'static str,
    event: Event,
}

#[derive(Clone, Copy, PartialEq)]
enum Event {
    Anonymous,
    Token,
    Connect,
    Disconnect,
    AudioToOne,
    AudioToMany,
    Health,
    Create,
}

const CASES: [Case; 11] = [
    Case {
        function: "session-authorizer",
        event: Event::Anonymous,
    },
    Case {
        function: "session-authorizer",
        event: Event::Token,
    },
    Case {
        function: "session-connection-handler",
        event: Event::Connect,
    },
    Case {
        function: "session-disconnect-handler",
        event: Event::Disconnect,
    },
    Case {
        function: "session-audio-handler",
        event: Event::AudioToOne,
    },
    Case {
        function: "session-audio-handler",
        event: Event::AudioToMany,
    },
    Case {
        function: "session-http-handler",
        event: Event::Health,
    },
    Case {
        function: "session-http-handler",
        event: Event::Create,
    },
    Case {
        function: "python-authorizer",
        event: Event::Anonymous,
    },
    Case {
        function: "python-authorizer",
        event: Event::Token,
    },
    Case {
        function: "python-connection",
        event: Event::Connect,
    },
];

/// Number of listeners that one invocation of the audio handler serves.
const MANY: usize = 250;

impl Event {
    fn name(self) -> String {
        match self {
            Event::Anonymous => "no token".to_owned(),
            Event::Token => "token".to_owned(),
            Event::Connect => "$connect".to_owned(),
            Event::Disconnect => "$disconnect".to_owned(),
            Event::AudioToOne => "sendAudio to 1 listener".to_owned(),
            Event::AudioToMany => format!("sendAudio to {MANY} listeners"),
            Event::Health => "GET /health".to_owned(),
            Event::Create => "POST /sessions".to_owned(),
        }
    }

    /// Returns the number of listeners that receive a message for this event.
    fn listeners(self) -> usize {
        match self {
            Event::AudioToOne => 1,
            Event::AudioToMany => MANY,
            _ => 0,
        }
    }
}

/// A stack with sessions.
struct BenchSessions {
    stack: Stack,
    /// Session whose listeners connect and disconnect.
    busy: Session,
    one: Session,
    many: Session,
    chunks: usize,
}

impl BenchSessions {
    async fn start(binaries: &Path) -> Result<Self> {
        let mut stack = Stack::start(binaries).await?;
        let busy = stack.session(0).await?;
        let one = stack.session(1).await?;
        let many = stack.session(MANY).await?;
        Ok(BenchSessions {
            stack,
            busy,
            one,
            many,
            chunks: 0,
        })
    }

    async fn event(&mut self, event: Event) -> Result<Value> {
        self.chunks += 1;
        Ok(match event {
            Event::Anonymous => self.stack.authorize_event(false),
            Event::Token => self.stack.authorize_event(true),
            Event::Connect => self.stack.connect_event(&self.busy),
            Event::Disconnect => self.stack.disconnect_event(&self.busy).await?,
            Event::AudioToOne => self.one.audio_event(self.chunks),
            Event::AudioToMany => self.many.audio_event(self.chunks),
            Event::Health => stackgen_websocket_testing::events::HttpRequest::default().event(),
            Event::Create => self.stack.create_event(),
        })
    }

    /// Invokes the function, and checks the result. Returns the duration.
    async fn invoke(
        &self,
        function: &mut Function,
        kind: Event,
        event: &Value,
    ) -> Result<Duration> {
        let posts = self.stack.posts();
        let start = Instant::now();
        match kind {
            Event::Anonymous => allowed(function, event, "anonymous").await?,
            Event::Token => allowed(function, event, "ada").await?,
            Event::Create => answer(function, event, 201).await.map(drop)?,
            _ => answer(function, event, 200).await.map(drop)?,
        }
        let time = start.elapsed();
        let posted = self.stack.posts() - posts;
        match posted == kind.listeners() {
            true => Ok(time),
            false => Err(format!(
                "{}: {posted} posts\n{}",
                kind.name(),
                function.logs().join("\n")
            )
            .into()),
        }
    }
}

/// Prints for every case: `runs` starts, and one process after `events` events.
pub fn measure(binaries: &Path, python: &Path, runs: usize, events: usize) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut sessions = BenchSessions::start(binaries).await?;
        // The first round warms up the file cache.
        for round in 0..=runs {
            for case in &CASES {
                let start = start(&mut sessions, python, case).await?;
                if round > 0 {
                    println!("{start}");
                }
            }
        }
        for case in &CASES {
            println!(
                "{}",
                measure_events(&mut sessions, python, case, events).await?
            );
        }
        Ok(())
    })
}

/// Starts a process and waits for its response to one event, which is available at once, as on Lambda.
async fn start(sessions: &mut BenchSessions, python: &Path, case: &Case) -> Result<Value> {
    let event = sessions.event(case.event).await?;
    let mut function = sessions.stack.function(&path(python, case)).await?;
    sessions.invoke(&mut function, case.event, &event).await?;
    function.idle().await?;
    let since_start = |at: Option<Instant>| {
        let passed = at.map(|at| at - function.started());
        passed.map(|time| time.as_secs_f64())
    };
    let (memory, _) = memory_and_time(&function)?;
    let line = json!({
        "kind": "start",
        "function": case.function,
        "event": case.event.name(),
        "first_next": since_start(function.api().first_next()),
        "first_answer": since_start(function.api().first_answer()),
        "resident_kib": memory.resident,
        "peak_kib": memory.peak,
    });
    // So that its end does not slow down the next start.
    function.stop().await;
    Ok(line)
}

/// Measures one process with many events. The starts measure the cost of the first one.
async fn measure_events(
    sessions: &mut BenchSessions,
    python: &Path,
    case: &Case,
    events: usize,
) -> Result<Value> {
    let mut function = sessions.stack.function(&path(python, case)).await?;
    let is_audio = matches!(case.event, Event::AudioToOne | Event::AudioToMany);
    let mut pace = interval(CHUNK);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let event = sessions.event(case.event).await?;
    sessions.invoke(&mut function, case.event, &event).await?;
    let (_, before) = memory_and_time(&function)?;
    let mut seconds = Vec::new();
    for _ in 0..events {
        if is_audio {
            pace.tick().await;
        }
        let event = sessions.event(case.event).await?;
        let time = sessions.invoke(&mut function, case.event, &event).await?;
        seconds.push(time.as_secs_f64());
    }
    function.idle().await?;
    let (memory, cpu) = memory_and_time(&function)?;
    Ok(json!({
        "kind": "steady",
        "function": case.function,
        "event": case.event.name(),
        "events": events,
        "seconds": seconds,
        "cpu_seconds": (cpu - before).as_secs_f64(),
        "resident_kib": memory.resident,
        "peak_kib": memory.peak,
    }))
}

fn path(python: &Path, case: &Case) -> std::path::PathBuf {
    match case.function.starts_with("python-") {
        true => python.join(case.function),
        false => case.function.into(),
    }
}

async fn allowed(function: &mut Function, event: &Value, principal: &str) -> Result<()> {
    match function.invoke(event).await? {
        InvocationResult::Response(answer) if answer["principalId"] == principal => Ok(()),
        other => Err(format!("{other:?}\n{}", function.logs().join("\n")).into()),
    }
}

/// Resident set of a process: current and peak.
pub struct Memory {
    resident: u64,
    peak: u64,
}

/// Returns the memory and the CPU time of a function's process.
pub fn memory_and_time(function: &Function) -> Result<(Memory, Duration)> {
    let id = function.id().ok_or("the function is gone")?;
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().nth(1));
        Ok(number
            .ok_or_else(|| format!("no {name} in /proc"))?
            .parse()?)
    };
    let memory = Memory {
        resident: kib("VmRSS")?,
        peak: kib("VmHWM")?,
    };
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in parentheses, may contain anything. User and system time are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc")?;
    let ticks: Vec<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    Ok((
        memory,
        Duration::from_millis(ticks.iter().sum::<u64>() * MILLISECONDS_A_TICK),
    ))
}

/// The kernel reports 100 ticks per second to programs on every architecture.
const MILLISECONDS_A_TICK: u64 = 10;
