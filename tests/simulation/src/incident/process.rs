//! A server of its own process, and as much of HTTP/1.1 as its clients need.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest wait for an answer: far longer than any takes, so that a stuck server ends the replay.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of a server's greeting.
const GREETING: usize = 40;

/// A server, until it is killed or dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens on this machine.
    pub(crate) port: u16,
    /// The project that is there.
    pub(crate) project: String,
    /// A token of it.
    pub(crate) token: String,
}

impl Server {
    /// Starts one on a folder, and returns when it has said where it listens.
    #[expect(clippy::zombie_processes, reason = "the drop waits; where the server says nothing, the replay ends")]
    pub(crate) fn start(program: &[PathBuf], folder: &Path) -> Self {
        let (program, first) = program.split_first().expect("a server's program");
        let options =
            ["--port", "0", "--aws-port", "0", "--no-examples", "--log", "error", "--data"].map(OsString::from);
        let mut command = Command::new(program);
        command.args(first).args(options).arg(folder).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("a server's process");
        let (mut port, mut project, mut token) = (None, None, None);
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        for line in said.lines().take(GREETING).map_while(Result::ok) {
            port = port.or_else(|| line.split_once("http://localhost:").and_then(|(_, rest)| digits(rest)));
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["project", id] => project = Some((*id).to_owned()),
                ["token", text] => token = Some((*text).to_owned()),
                _ => {}
            }
            if let (Some(port), Some(project), Some(token)) = (port, &project, &token) {
                let (project, token) = (project.clone(), token.clone());
                return Self { child, port, project, token };
            }
        }
        panic!("the server did not say where it listens")
    }

    /// The most memory it ever held, in MiB (`VmHWM`); none where the system does not say.
    pub(crate) fn peak_mebibytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
    }

    /// Kills it with SIGKILL; whether it was alive.
    pub(crate) fn kill(mut self) -> bool {
        let alive = self.child.try_wait().is_ok_and(|ended| ended.is_none());
        drop(self.child.kill());
        drop(self.child.wait());
        alive
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn digits(text: &str) -> Option<u16> {
    text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Seconds after which to come again.
    pub(crate) retry_after: Option<u64>,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
}

/// A connection to a server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a port of this machine.
    pub(crate) fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// One `POST`, answered.
    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Result<Answer> {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n");
        // A server that has answered already closes; its answer is there all the same.
        drop(self.send(head.as_bytes()).and_then(|()| self.send(body)));
        self.answer()
    }

    /// Sends these bytes, and waits for nothing.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    fn answer(&mut self) -> Result<Answer> {
        let status = self.line()?.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
        let (mut answer, mut length) = (Answer { status, retry_after: None, closes: false }, 0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(':').map(|(name, value)| (name, value.trim())) {
                None => break,
                Some(("content-length", value)) => length = value.parse().map_err(|_| broken())?,
                Some(("retry-after", value)) => answer.retry_after = value.parse().ok(),
                Some(("connection", "close")) => answer.closes = true,
                Some(_) => {}
            }
        }
        self.stream.read_exact(&mut vec![0; length])?;
        Ok(answer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn broken() -> Error {
    Error::from(ErrorKind::UnexpectedEof)
}
