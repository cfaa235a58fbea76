//! A management endpoint of minimal cost, so that its clients dominate the measurement.

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

/// Size of an audio chunk: 50 ms of 16 kHz and 16 bits.
pub const AUDIO_BYTES: usize = 1600;

/// A running management endpoint.
pub struct Endpoint {
    /// URL of the stage.
    pub url: String,
    state: Arc<EndpointState>,
}

#[derive(Default)]
struct EndpointState {
    delay: Duration,
    posts: AtomicUsize,
}

impl Endpoint {
    /// Starts an endpoint that answers every signed POST with 200 after `delay`.
    pub async fn start(delay: Duration) -> Result<Self> {
        let state = Arc::new(EndpointState {
            delay,
            ..EndpointState::default()
        });
        let routes = Router::new()
            .route("/prod/@connections/{id}", post(answer))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/prod", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Endpoint { url, state })
    }

    /// Returns the number of posts that were answered with 200.
    pub fn posts(&self) -> usize {
        self.state.posts.load(Ordering::Relaxed)
    }
}

/// Reads the whole message before it answers, as API Gateway does.
async fn answer(
    State(state): State<Arc<EndpointState>>,
    headers: HeaderMap,
    message: Bytes,
) -> StatusCode {
    if !headers.contains_key("authorization") || message.is_empty() {
        return StatusCode::FORBIDDEN;
    }
    if !state.delay.is_zero() {
        tokio::time::sleep(state.delay).await;
    }
    state.posts.fetch_add(1, Ordering::Relaxed);
    StatusCode::OK
}

/// Prints its URL, and serves in one thread until standard input ends.
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

/// Measures the endpoint's limit, with clients that write the same bytes repeatedly, one request at a time per
/// connection.
pub fn ceiling(endpoint: &str, connections: usize, time: Duration) -> Result<()> {
    let authority = endpoint
        .trim_start_matches("http://")
        .trim_end_matches("/prod")
        .to_owned();
    // About as long as the requests of the SDK's client.
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
            tokio::spawn(post_repeatedly(
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

async fn post_repeatedly(to: String, request: Arc<[u8]>, until: Instant) -> std::io::Result<u32> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 4096];
    let mut posts = 0;
    while Instant::now() < until {
        stream.write_all(&request).await?;
        // A response without a body is one packet.
        let length = stream.read(&mut answer).await?;
        if !answer[..length].starts_with(b"HTTP/1.1 200") {
            return Err(std::io::Error::other("the endpoint refused a post"));
        }
        posts += 1;
    }
    Ok(posts)
}
