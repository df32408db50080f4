//! The front door on a port, with the limits that API Gateway and Lambda have in AWS: so many connections and requests
//! at once, and no more; who is too many is told so at once, and when to come again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONNECTION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::World;

/// Connections at once: one that idles costs about 20 KB.
const CONNECTIONS: usize = 4_096;
/// Requests at once: each may hold a body of 500 KB, and again what it unpacks to.
const REQUESTS: usize = 256;
/// How long a client may take to send a request's head, and may idle before the next one.
const HEAD: Duration = Duration::from_secs(10);
/// How long a request may take, its body's arrival included: API Gateway's integration time-out.
const REQUEST: Duration = Duration::from_secs(30);
/// How long to wait after the system refused to accept, as it does when files run out.
const REFUSED: Duration = Duration::from_millis(100);
/// Connections told at once that there is no room; beyond them a connection is closed without a word.
const TURNED_AWAY: usize = 1_024;
/// How long a client that is turned away may take to hear it.
const HEAR: Duration = Duration::from_secs(1);
/// Bytes of a connection's buffer: a request's head, and what is read of a body at a time.
const BUFFER: usize = 16 * 1024;
/// What is answered where there is no room for a connection.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 64\r\n\r\n{\"status\":503,\"message\":\"too many connections: try again later\"}";

impl World {
    /// Serves the front door until it is dropped. Whatever one client does, the others are answered: a request that there
    /// is no room for gets 503 and `Retry-After` at once.
    pub async fn serve(&self, listener: TcpListener) {
        serve(self.router(), listener).await;
    }
}

async fn serve(router: Router, listener: TcpListener) {
    let router = router.layer(from_fn_with_state(Arc::new(Semaphore::new(REQUESTS)), admit));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let doorstep = Arc::new(Semaphore::new(TURNED_AWAY));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(error = %error, "a connection is not accepted");
                tokio::time::sleep(REFUSED).await;
                continue;
            }
        };
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            let serving = connection(router.clone(), stream, HEAD);
            tokio::spawn(async move {
                serving.await;
                drop(permit);
            });
        } else if let Ok(permit) = Arc::clone(&doorstep).try_acquire_owned() {
            tokio::spawn(turn_away(stream, permit));
        }
    }
}

/// Serves one connection, while each request's head comes within `head`. What goes wrong in it is its client's affair.
async fn connection(router: Router, stream: TcpStream, head: Duration) {
    drop(stream.set_nodelay(true));
    // Not `auto`: it waits for the first bytes for ever, to know the version, before the time for a head begins.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(BUFFER);
    let service = TowerToHyperService::new(router);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error = %error, "a connection ended");
    }
}

/// Says that there is no room, without waiting for a request. What the client says all the same is read, since a
/// connection that is closed on unread words takes the answer with it.
async fn turn_away(mut stream: TcpStream, _doorstep: OwnedSemaphorePermit) {
    let said = async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await?;
        let mut unheard = [0; 4096];
        while stream.read(&mut unheard).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    drop(tokio::time::timeout(HEAR, said).await);
}

/// Lets a request in if there is room, for as long as a request may take.
async fn admit(State(room): State<Arc<Semaphore>>, request: Request, next: Next) -> Result<Response, Infallible> {
    let Ok(_room) = room.try_acquire() else {
        return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once: try again later"));
    };
    let answered = tokio::time::timeout(REQUEST, next.run(request)).await;
    Ok(answered.unwrap_or_else(|_| refusal(StatusCode::REQUEST_TIMEOUT, "the request took too long: send it again")))
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let body = axum::Json(serde_json::json!({ "status": status.as_u16(), "message": message }));
    let mut response = (status, body).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Found by `intake_memory_2019` in full size: as many silent connections as there is room for kept everybody out.
    #[tokio::test]
    async fn who_connects_and_never_says_a_word_is_shown_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let mut silent = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let serving = connection(Router::new(), stream, Duration::from_millis(1));
        tokio::time::timeout(HEAD, serving).await.expect("it ends");
        assert_eq!(silent.read(&mut [0; 16]).await.ok(), Some(0));
    }

    #[test]
    fn the_answer_to_who_finds_no_room_says_its_length() {
        let text = std::str::from_utf8(NO_ROOM).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
