//! Measurements of a target over one or more connections.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::socket::{self, Frame, Reader, Url, Writer};

/// Timeout that exceeds every target's response time.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns a typical chat message: 64 bytes with its number.
pub fn message(number: u64) -> Vec<u8> {
    let mut text = format!("{{\"action\":\"say\",\"number\":{number},\"text\":\"");
    while text.len() < 62 {
        text.push('x');
    }
    text.push_str("\"}");
    text.into_bytes()
}

/// Sends messages one at a time on one connection and waits for each answer, which must equal the message.
pub async fn sequence(url: &Url, warm_up: u64, count: u64) -> Result<Value> {
    let (mut reader, mut writer) = connect(url).await?;
    let mut times = Vec::new();
    for number in 0..warm_up + count {
        let text = message(number);
        let began = Instant::now();
        writer.text(&text).await?;
        let answer = timeout(TIMEOUT, reader.text()).await??;
        let took = began.elapsed();
        if answer != text {
            return Err(
                format!("{} was answered with {}", excerpt(&text), excerpt(&answer)).into(),
            );
        }
        if number >= warm_up {
            times.push(took);
        }
    }
    writer.close(1000).await?;
    Ok(spread(times))
}

/// Opens and closes one connection after the other: handshake, authorizer and `$connect`, then both close frames.
pub async fn connects(url: &Url, warm_up: u64, count: u64) -> Result<Value> {
    let mut times = Vec::new();
    for number in 0..warm_up + count {
        let began = Instant::now();
        let (mut reader, mut writer) = connect(url).await?;
        writer.close(1000).await?;
        while let Ok(Ok(frame)) = timeout(TIMEOUT, reader.next()).await {
            if matches!(frame, Frame::Close(_)) {
                break;
            }
        }
        if number >= warm_up {
            times.push(began.elapsed());
        }
    }
    Ok(spread(times))
}

/// Measures answers per second. Each connection keeps `depth` messages in flight, for `time` after a warm-up.
pub async fn pipelined(
    url: &Url,
    connections: usize,
    depth: u64,
    warm_up: Duration,
    time: Duration,
) -> Result<Value> {
    let answered = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (reader, writer) = connect(url).await?;
        tasks.push(tokio::spawn(keep_busy(
            reader,
            writer,
            depth,
            answered.clone(),
            over.clone(),
        )));
    }
    sleep(warm_up).await;
    let (before, began) = (answered.load(Ordering::Relaxed), Instant::now());
    sleep(time).await;
    let rate = (answered.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let (mut reordered, mut errors) = (0, 0);
    for task in tasks {
        // A target with more messages in flight than it can answer gets no more time.
        let Ok(done) = timeout(Duration::from_secs(20), task).await else {
            return Ok(json!({ "per_second": rate, "reordered": null, "errors": errors }));
        };
        let done = done??;
        reordered += done.0;
        errors += done.1;
    }
    Ok(json!({ "per_second": rate, "reordered": reordered, "errors": errors }))
}

/// Sends messages until the measurement is over. Returns the number of answers out of order, and of other answers.
async fn keep_busy(
    mut reader: Reader,
    mut writer: Writer,
    depth: u64,
    answered: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
) -> std::io::Result<(u64, u64)> {
    let first: Vec<_> = (0..depth).map(message).collect();
    writer.texts(first.iter().map(Vec::as_slice)).await?;
    let (mut sent, mut reordered, mut errors) = (depth, 0, 0);
    let mut got = 0;
    while got < sent {
        let answer = reader.text().await?;
        if !answer.starts_with(b"{\"action\":\"say\"") {
            errors += 1;
        } else {
            reordered += u64::from(answer != message(got));
            answered.fetch_add(1, Ordering::Relaxed);
        }
        got += 1;
        if !over.load(Ordering::Relaxed) {
            writer.text(&message(sent)).await?;
            sent += 1;
        }
    }
    writer.close(1000).await?;
    Ok((reordered, errors))
}

/// Opens idle connections, prints `open`, and waits until standard input ends.
pub async fn idle(url: &Url, count: usize) -> Result<Value> {
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let batch: Vec<_> = (0..20.min(count - open.len()))
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { connect(&url).await.map_err(|error| error.to_string()) })
            })
            .collect();
        for connection in batch {
            open.push(connection.await??);
        }
    }
    println!("{}", json!({ "open": open.len() }));
    std::io::stdout().flush()?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    for (_, writer) in &mut open {
        // The connection may have ended already.
        let _ = writer.close(1000).await;
    }
    Ok(json!({ "closed": open.len() }))
}

async fn connect(url: &Url) -> Result<(Reader, Writer)> {
    Ok(timeout(TIMEOUT, socket::connect(url)).await??)
}

fn spread(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64();
    json!({ "p50": at(0.5), "p99": at(0.99), "count": times.len() })
}

fn excerpt(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned()
}
