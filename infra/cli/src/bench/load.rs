//! A load generator that costs little: raw HTTP/1.1 over kept connections, one request after the other on each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How much load, and for how long: whichever bound comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Where dunlin listens.
    pub(crate) address: SocketAddr,
    /// Connections at once.
    pub(crate) connections: u64,
    /// No request begins after this time.
    pub(crate) time: Duration,
    /// Requests at most.
    pub(crate) most: u64,
}

/// What came of it; every request was answered with 200.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// From the first request to the last answer.
    pub(crate) time: Duration,
    /// Time to answer, of each request.
    pub(crate) answers: Vec<Duration>,
}

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Load {
    /// Makes the load; `request` writes the n-th request.
    pub(crate) async fn run<F>(self, request: F) -> anyhow::Result<Loaded>
    where
        F: Fn(u64, &mut Vec<u8>) + Clone + Send + Sync + 'static,
    {
        let (number, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let mut tasks = JoinSet::new();
        for _ in 0..self.connections {
            let (number, request) = (Arc::clone(&number), request.clone());
            tasks.spawn(async move {
                let mut connection = Connection::open(self.address).await?;
                let (mut text, mut answers) = (Vec::new(), Vec::new());
                while started.elapsed() < self.time {
                    let n = number.fetch_add(1, Ordering::Relaxed);
                    if n >= self.most {
                        break;
                    }
                    text.clear();
                    request(n, &mut text);
                    let begun = Instant::now();
                    connection.ask(&text).await?;
                    answers.push(begun.elapsed());
                }
                anyhow::Ok(answers)
            });
        }
        let mut answers = Vec::new();
        while let Some(answered) = tasks.join_next().await {
            answers.extend(answered??);
        }
        Ok(Loaded { requests: answers.len() as u64, time: started.elapsed(), answers })
    }
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its answer, which must be 200.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection was closed");
            }
            if is_whole(&self.buffer) {
                break;
            }
        }
        if !self.buffer.starts_with(b"HTTP/1.1 200") {
            bail!("not accepted: {}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(())
    }
}

/// Whether an answer is there with all of its body.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    answer.len() >= end + 4 + length
}

/// Writes a POST with a JSON body.
pub(crate) fn post(path: &str, authorization: Option<&str>, body: &str, text: &mut Vec<u8>) {
    text.extend_from_slice(b"POST ");
    text.extend_from_slice(path.as_bytes());
    text.extend_from_slice(b" HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    if let Some(authorization) = authorization {
        text.extend_from_slice(format!("authorization: {authorization}\r\n").as_bytes());
    }
    text.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    text.extend_from_slice(body.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte_and_not_before() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
        for cut in 0..answer.len() {
            assert!(!is_whole(&answer[..cut]), "{cut}");
        }
        assert!(is_whole(answer));
    }
}
