//! Many connections for a long time. Idle ones send a message now and then, chatty ones number their messages, and
//! others break off in the middle of a frame. The report lists what each connection received, and `benches/soak/run`
//! compares it with the function's record.

use std::collections::VecDeque;
use std::fs;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::socket::{Frame, Reader, Url, Writer, connect};

/// Time after which a message without an answer counts as lost.
const TIMEOUT: Duration = Duration::from_secs(40);
/// Pause between two messages of a chatty connection.
const PAUSE: Duration = Duration::from_millis(200);
/// Maximum number of messages in flight per chatty connection.
const MAX_IN_FLIGHT: usize = 4;
/// Interval of messages on idle connections, below API Gateway's idle timeout of ten minutes (row M13).
const HEARTBEAT: Duration = Duration::from_secs(4 * 60);

/// State that all connections share.
#[derive(Default)]
struct SoakState {
    /// Ends all connections.
    over: AtomicBool,
    /// In the chaos phase: lost connections and error frames are expected.
    chaos: AtomicBool,
    open: AtomicU64,
    answered: AtomicU64,
}

/// Report of one connection.
#[derive(Default)]
struct ConnectionReport {
    id: String,
    kind: &'static str,
    sent: u64,
    /// Numbers of the messages that were answered with themselves.
    acknowledged: Vec<u64>,
    errors: u64,
    /// Reason of the end, unless this side ended the connection.
    lost: Option<String>,
    /// Violations of the invariants.
    wrong: Vec<String>,
}

/// Runs until it reads `end`. The line `chaos` starts the second phase; the line `count` is answered with `{"open":
/// …}`.
pub async fn run(url: Url, words: &[&str]) -> Result<()> {
    let [idle, chatty, report] = words else {
        return Err("soak URL IDLE CHATTY REPORT".into());
    };
    let state = Arc::new(SoakState::default());
    let mut tasks = Vec::new();
    start_idle(&mut tasks, &url, idle.parse()?, &state).await;
    for _ in 0..chatty.parse()? {
        tasks.push(tokio::spawn(keep_connected(
            url.clone(),
            state.clone(),
            "chatty",
        )));
    }
    println!("{}", json!({ "started": tasks.len() }));
    run_commands(&url, &state, &mut tasks).await?;
    state.over.store(true, Ordering::Relaxed);
    let mut seen = Vec::new();
    for task in tasks {
        seen.extend(task.await?);
    }
    let lines: Vec<String> = seen
        .iter()
        .map(|seen| report_line(seen).to_string())
        .collect();
    fs::write(report, lines.join("\n"))?;
    println!("{}", json!({ "ended": seen.len() }));
    Ok(())
}

type Tasks = Vec<JoinHandle<Vec<ConnectionReport>>>;

/// Opens idle connections, twenty at a time.
async fn start_idle(tasks: &mut Tasks, url: &Url, count: u64, state: &Arc<SoakState>) {
    for number in 1..=count {
        tasks.push(tokio::spawn(keep_connected(
            url.clone(),
            state.clone(),
            "idle",
        )));
        while state.open.load(Ordering::Relaxed) + 20 < number {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn run_commands(url: &Url, state: &Arc<SoakState>, tasks: &mut Tasks) -> Result<()> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = input.next_line().await? {
        match line.as_str() {
            "chaos" => state.chaos.store(true, Ordering::Relaxed),
            "break" => tasks.push(tokio::spawn(drop_mid_frame(url.clone()))),
            "count" => println!(
                "{}",
                json!({
                    "open": state.open.load(Ordering::Relaxed),
                    "answered": state.answered.load(Ordering::Relaxed),
                })
            ),
            _ => break,
        }
    }
    Ok(())
}

/// Keeps a connection open, and replaces it when it is lost.
async fn keep_connected(
    url: Url,
    state: Arc<SoakState>,
    kind: &'static str,
) -> Vec<ConnectionReport> {
    let mut all = Vec::new();
    while !state.over.load(Ordering::Relaxed) {
        let mut seen = ConnectionReport {
            kind,
            ..ConnectionReport::default()
        };
        let ended = match open(&url, &mut seen).await {
            Ok((reader, writer)) => {
                state.open.fetch_add(1, Ordering::Relaxed);
                let ended = match kind {
                    "idle" => idle(reader, writer, &state).await,
                    _ => chat(reader, writer, &state, &mut seen).await,
                };
                state.open.fetch_sub(1, Ordering::Relaxed);
                ended
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            if !state.chaos.load(Ordering::Relaxed) || error.kind() == ErrorKind::TimedOut {
                seen.wrong.push(error.to_string());
            }
            seen.lost = Some(error.to_string());
            sleep(Duration::from_millis(500)).await;
        }
        all.push(seen);
    }
    all
}

/// Connects, and asks the function for the connection's ID.
async fn open(url: &Url, seen: &mut ConnectionReport) -> std::io::Result<(Reader, Writer)> {
    let (mut reader, mut writer) = timeout(TIMEOUT, connect(url)).await.map_err(timed_out)??;
    loop {
        writer.text(b"whoami").await?;
        let answer = timeout(TIMEOUT, reader.text()).await.map_err(timed_out)??;
        if let Some(id) = answer.strip_prefix(b"id ") {
            seen.id = String::from_utf8_lossy(id).into_owned();
            return Ok((reader, writer));
        }
        // An error frame, because its function was killed.
        sleep(Duration::from_millis(100)).await;
    }
}

async fn idle(mut reader: Reader, mut writer: Writer, state: &SoakState) -> std::io::Result<()> {
    let mut last_sent = Instant::now();
    while !state.over.load(Ordering::Relaxed) {
        if reader.wait(Duration::from_secs(1)).await? {
            answer(&mut reader).await?;
        } else if last_sent.elapsed() >= HEARTBEAT {
            writer.text(b"whoami").await?;
            last_sent = Instant::now();
        }
    }
    close_connection(reader, writer).await
}

/// Sends numbered messages. Every message must be answered once, in order.
async fn chat(
    mut reader: Reader,
    mut writer: Writer,
    state: &SoakState,
    seen: &mut ConnectionReport,
) -> std::io::Result<()> {
    let mut waiting = VecDeque::new();
    while !state.over.load(Ordering::Relaxed) || !waiting.is_empty() {
        if waiting.len() < MAX_IN_FLIGHT && !state.over.load(Ordering::Relaxed) {
            let text = format!("{} {}", seen.sent, "x".repeat(100));
            writer.text(text.as_bytes()).await?;
            waiting.push_back((seen.sent, text, Instant::now()));
            seen.sent += 1;
        }
        let pause = if waiting.len() < MAX_IN_FLIGHT {
            PAUSE / MAX_IN_FLIGHT as u32
        } else {
            TIMEOUT
        };
        if reader.wait(pause).await? {
            let answer = answer(&mut reader).await?;
            let (number, text, _) = waiting
                .pop_front()
                .ok_or_else(|| Error::other("an answer too many"))?;
            check(&answer, number, &text, state, seen);
        } else if let Some((number, _, sent)) = waiting.front()
            && sent.elapsed() >= TIMEOUT
        {
            return Err(timed_out(format!("message {number} was not answered")));
        }
        if waiting.len() < MAX_IN_FLIGHT {
            sleep(PAUSE / MAX_IN_FLIGHT as u32).await;
        }
    }
    close_connection(reader, writer).await
}

fn check(answer: &[u8], number: u64, text: &str, state: &SoakState, seen: &mut ConnectionReport) {
    if answer == text.as_bytes() {
        seen.acknowledged.push(number);
        state.answered.fetch_add(1, Ordering::Relaxed);
    } else if answer.starts_with(b"{\"message\"") && state.chaos.load(Ordering::Relaxed) {
        // An error frame: the message was not acknowledged.
        seen.errors += 1;
    } else {
        let answer = String::from_utf8_lossy(&answer[..answer.len().min(60)]);
        seen.wrong
            .push(format!("message {number} was answered with {answer}"));
    }
}

/// Connects, and drops TCP in the middle of a frame.
async fn drop_mid_frame(url: Url) -> Vec<ConnectionReport> {
    let mut seen = ConnectionReport {
        kind: "broken off",
        ..ConnectionReport::default()
    };
    match open(&url, &mut seen).await {
        Ok((_, mut writer)) => {
            // The connection is dropped in either case.
            let _ = writer.half(&[b'x'; 1000]).await;
        }
        Err(error) => seen.lost = Some(error.to_string()),
    }
    vec![seen]
}

/// Reads a message that has begun to arrive.
async fn answer(reader: &mut Reader) -> std::io::Result<Vec<u8>> {
    timeout(TIMEOUT, reader.text()).await.map_err(timed_out)?
}

async fn close_connection(mut reader: Reader, mut writer: Writer) -> std::io::Result<()> {
    writer.close(1000).await?;
    while !matches!(
        timeout(TIMEOUT, reader.next()).await.map_err(timed_out)??,
        Frame::Close(_)
    ) {}
    Ok(())
}

fn timed_out(why: impl ToString) -> Error {
    Error::new(ErrorKind::TimedOut, why.to_string())
}

fn report_line(seen: &ConnectionReport) -> Value {
    json!({
        "id": seen.id, "kind": seen.kind, "sent": seen.sent, "acknowledged": seen.acknowledged, "errors": seen.errors,
        "lost": seen.lost, "wrong": seen.wrong,
    })
}
