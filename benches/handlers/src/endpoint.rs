//! A management endpoint that costs as little as it can, so that what is measured is who posts to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Result;

/// A chunk of audio as a client sends it: 50 ms of 16 kHz and 16 bits.
pub const AUDIO_BYTES: usize = 1600;

/// A management endpoint that is running.
pub struct Endpoint {
    /// The stage's URL.
    pub url: String,
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Desk {
    delay: Duration,
    posts: AtomicUsize,
}

impl Endpoint {
    /// Answers every signed POST with 200 after `delay`.
    pub async fn start(delay: Duration) -> Result<Self> {
        let desk = Arc::new(Desk {
            delay,
            ..Desk::default()
        });
        let routes = Router::new()
            .route("/prod/@connections/{id}", post(answer))
            .with_state(Arc::clone(&desk));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/prod", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Endpoint { url, desk })
    }

    /// How many posts it answered with 200.
    pub fn posts(&self) -> usize {
        self.desk.posts.load(Ordering::Relaxed)
    }
}

/// Takes the whole message, as API Gateway does before it answers.
async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, message: Bytes) -> StatusCode {
    if !headers.contains_key("authorization") || message.is_empty() {
        return StatusCode::FORBIDDEN;
    }
    if !desk.delay.is_zero() {
        tokio::time::sleep(desk.delay).await;
    }
    desk.posts.fetch_add(1, Ordering::Relaxed);
    StatusCode::OK
}

/// Prints its URL and serves, in one thread, until its standard input closes.
pub fn serve(delay: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!("{}", json!({"url": Endpoint::start(delay).await?.url}));
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        Ok(())
    })
}

/// What the endpoint can do at all: clients that do nothing but write the same bytes again, one request at a time on each
/// connection.
pub fn ceiling(endpoint: &str, connections: usize, time: Duration) -> Result<()> {
    let authority = endpoint
        .trim_start_matches("http://")
        .trim_end_matches("/prod")
        .to_owned();
    // About as long as what a client of the SDK sends.
    let (signature, message) = ("s".repeat(400), "m".repeat(AUDIO_BYTES * 4 / 3));
    let request = format!(
        "POST /prod/@connections/YQ%3D%3D HTTP/1.1\r\nhost: {authority}\r\nauthorization: {signature}\r\n\
         content-length: {}\r\n\r\n{message}",
        message.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let start = Instant::now();
        let request: Arc<[u8]> = request.into_bytes().into();
        let poster = |_| {
            tokio::spawn(post_again_and_again(
                authority.clone(),
                Arc::clone(&request),
                start + time,
            ))
        };
        let posters: Vec<_> = (0..connections).map(poster).collect();
        let mut posts = 0;
        for poster in posters {
            posts += poster.await??;
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{}",
            json!({"connections": connections, "posts_per_second": f64::from(posts) / seconds})
        );
        Ok(())
    })
}

async fn post_again_and_again(
    to: String,
    request: Arc<[u8]>,
    until: Instant,
) -> std::io::Result<u32> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 4096];
    let mut posts = 0;
    while Instant::now() < until {
        stream.write_all(&request).await?;
        // An answer without a body: one packet.
        let length = stream.read(&mut answer).await?;
        if !answer[..length].starts_with(b"HTTP/1.1 200") {
            return Err(std::io::Error::other("the endpoint refused a post"));
        }
        posts += 1;
    }
    Ok(posts)
}
