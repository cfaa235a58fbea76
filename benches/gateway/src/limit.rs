//! Physical limit: an echo of tokio-tungstenite, without gateway and function.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::Result;

/// Prints its address, and serves until it is killed.
pub async fn serve() -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse()?)?;
    // With the usual 128, a burst of connections waits a second for its handshakes to be repeated.
    let listener = socket.listen(4096)?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // The default of 128 KiB exceeds what a message needs, and would dominate the memory of a connection.
            let config = WebSocketConfig::default().read_buffer_size(4096);
            let accepted = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await;
            let Ok(mut socket) = accepted else {
                return;
            };
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() && socket.send(message).await.is_err() {
                    return;
                }
            }
        });
    }
}
