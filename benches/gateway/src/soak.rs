//! Many connections for a long time: idle ones that say something now and then, chatty ones that number what they say, and
//! ones that break off in the middle of a frame. What each of them saw is written down, for `benches/soak/run` to hold
//! against what the function wrote.

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

/// A message that is not answered for so long is lost.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two messages of a chatty connection.
const PAUSE: Duration = Duration::from_millis(200);
/// What a chatty connection has under way at most.
const DEPTH: usize = 4;
/// Idle connections say something before API Gateway's ten minutes are over (row M13).
const HEARTBEAT: Duration = Duration::from_secs(4 * 60);

/// What all connections share.
#[derive(Default)]
struct Shared {
    /// All end.
    over: AtomicBool,
    /// Chaos: a connection that is lost, or a message that gets an error frame, is as it should be.
    chaos: AtomicBool,
    open: AtomicU64,
    answered: AtomicU64,
}

/// What one connection saw.
#[derive(Default)]
struct Told {
    id: String,
    kind: &'static str,
    sent: u64,
    /// Numbers of the messages that were answered with themselves.
    acknowledged: Vec<u64>,
    errors: u64,
    /// Why it ended, if it was not this side that ended it.
    lost: Option<String>,
    /// What must never be.
    wrong: Vec<String>,
}

/// Runs until its input says `end`. A line `chaos` begins the second phase; `{"open": …}` answers a line `count`.
pub async fn run(url: Url, words: &[&str]) -> Result<()> {
    let [idle, chatty, report] = words else {
        return Err("soak URL IDLE CHATTY REPORT".into());
    };
    let shared = Arc::new(Shared::default());
    let mut tasks = Vec::new();
    start_idle(&mut tasks, &url, idle.parse()?, &shared).await;
    for _ in 0..chatty.parse()? {
        tasks.push(tokio::spawn(stay(url.clone(), shared.clone(), "chatty")));
    }
    println!("{}", json!({ "started": tasks.len() }));
    obey(&url, &shared, &mut tasks).await?;
    shared.over.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for task in tasks {
        told.extend(task.await?);
    }
    let lines: Vec<String> = told
        .iter()
        .map(|told| report_line(told).to_string())
        .collect();
    fs::write(report, lines.join("\n"))?;
    println!("{}", json!({ "ended": told.len() }));
    Ok(())
}

type Tasks = Vec<JoinHandle<Vec<Told>>>;

/// Opens idle connections, twenty at a time.
async fn start_idle(tasks: &mut Tasks, url: &Url, count: u64, shared: &Arc<Shared>) {
    for number in 1..=count {
        tasks.push(tokio::spawn(stay(url.clone(), shared.clone(), "idle")));
        while shared.open.load(Ordering::Relaxed) + 20 < number {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn obey(url: &Url, shared: &Arc<Shared>, tasks: &mut Tasks) -> Result<()> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = input.next_line().await? {
        match line.as_str() {
            "chaos" => shared.chaos.store(true, Ordering::Relaxed),
            "break" => tasks.push(tokio::spawn(break_off(url.clone()))),
            "count" => println!(
                "{}",
                json!({
                    "open": shared.open.load(Ordering::Relaxed),
                    "answered": shared.answered.load(Ordering::Relaxed),
                })
            ),
            _ => break,
        }
    }
    Ok(())
}

/// A connection, and the one after it when it is lost.
async fn stay(url: Url, shared: Arc<Shared>, kind: &'static str) -> Vec<Told> {
    let mut all = Vec::new();
    while !shared.over.load(Ordering::Relaxed) {
        let mut told = Told {
            kind,
            ..Told::default()
        };
        let ended = match open(&url, &mut told).await {
            Ok((reader, writer)) => {
                shared.open.fetch_add(1, Ordering::Relaxed);
                let ended = match kind {
                    "idle" => idle(reader, writer, &shared).await,
                    _ => chat(reader, writer, &shared, &mut told).await,
                };
                shared.open.fetch_sub(1, Ordering::Relaxed);
                ended
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            if !shared.chaos.load(Ordering::Relaxed) || error.kind() == ErrorKind::TimedOut {
                told.wrong.push(error.to_string());
            }
            told.lost = Some(error.to_string());
            sleep(Duration::from_millis(500)).await;
        }
        all.push(told);
    }
    all
}

/// Connects, and asks the function for the connection's id.
async fn open(url: &Url, told: &mut Told) -> std::io::Result<(Reader, Writer)> {
    let (mut reader, mut writer) = timeout(PATIENCE, connect(url)).await.map_err(timed_out)??;
    loop {
        writer.text(b"whoami").await?;
        let answer = timeout(PATIENCE, reader.text())
            .await
            .map_err(timed_out)??;
        if let Some(id) = answer.strip_prefix(b"id ") {
            told.id = String::from_utf8_lossy(id).into_owned();
            return Ok((reader, writer));
        }
        // An error frame: its function was killed.
        sleep(Duration::from_millis(100)).await;
    }
}

async fn idle(mut reader: Reader, mut writer: Writer, shared: &Shared) -> std::io::Result<()> {
    let mut said = Instant::now();
    while !shared.over.load(Ordering::Relaxed) {
        if reader.wait(Duration::from_secs(1)).await? {
            answer(&mut reader).await?;
        } else if said.elapsed() >= HEARTBEAT {
            writer.text(b"whoami").await?;
            said = Instant::now();
        }
    }
    goodbye(reader, writer).await
}

/// Numbers what it says, and holds what comes back against it: every message is answered once, in order.
async fn chat(
    mut reader: Reader,
    mut writer: Writer,
    shared: &Shared,
    told: &mut Told,
) -> std::io::Result<()> {
    let mut waiting = VecDeque::new();
    while !shared.over.load(Ordering::Relaxed) || !waiting.is_empty() {
        if waiting.len() < DEPTH && !shared.over.load(Ordering::Relaxed) {
            let text = format!("{} {}", told.sent, "x".repeat(100));
            writer.text(text.as_bytes()).await?;
            waiting.push_back((told.sent, text, Instant::now()));
            told.sent += 1;
        }
        let pause = if waiting.len() < DEPTH {
            PAUSE / DEPTH as u32
        } else {
            PATIENCE
        };
        if reader.wait(pause).await? {
            let answer = answer(&mut reader).await?;
            let (number, text, _) = waiting
                .pop_front()
                .ok_or_else(|| Error::other("an answer too many"))?;
            check(&answer, number, &text, shared, told);
        } else if let Some((number, _, sent)) = waiting.front()
            && sent.elapsed() >= PATIENCE
        {
            return Err(timed_out(format!("message {number} was not answered")));
        }
        if waiting.len() < DEPTH {
            sleep(PAUSE / DEPTH as u32).await;
        }
    }
    goodbye(reader, writer).await
}

fn check(answer: &[u8], number: u64, text: &str, shared: &Shared, told: &mut Told) {
    if answer == text.as_bytes() {
        told.acknowledged.push(number);
        shared.answered.fetch_add(1, Ordering::Relaxed);
    } else if answer.starts_with(b"{\"message\"") && shared.chaos.load(Ordering::Relaxed) {
        // Refused, and said so: nothing was acknowledged.
        told.errors += 1;
    } else {
        let answer = String::from_utf8_lossy(&answer[..answer.len().min(60)]);
        told.wrong
            .push(format!("message {number} was answered with {answer}"));
    }
}

/// Connects, and drops TCP in the middle of a frame.
async fn break_off(url: Url) -> Vec<Told> {
    let mut told = Told {
        kind: "broken off",
        ..Told::default()
    };
    match open(&url, &mut told).await {
        Ok((_, mut writer)) => {
            // It is gone either way.
            let _ = writer.half(&[b'x'; 1000]).await;
        }
        Err(error) => told.lost = Some(error.to_string()),
    }
    vec![told]
}

/// A message of which something has arrived.
async fn answer(reader: &mut Reader) -> std::io::Result<Vec<u8>> {
    timeout(PATIENCE, reader.text()).await.map_err(timed_out)?
}

async fn goodbye(mut reader: Reader, mut writer: Writer) -> std::io::Result<()> {
    writer.close(1000).await?;
    while !matches!(
        timeout(PATIENCE, reader.next())
            .await
            .map_err(timed_out)??,
        Frame::Close(_)
    ) {}
    Ok(())
}

fn timed_out(why: impl ToString) -> Error {
    Error::new(ErrorKind::TimedOut, why.to_string())
}

fn report_line(told: &Told) -> Value {
    json!({
        "id": told.id, "kind": told.kind, "sent": told.sent, "acknowledged": told.acknowledged, "errors": told.errors,
        "lost": told.lost, "wrong": told.wrong,
    })
}
