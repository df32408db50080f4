//! The server as a process.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server that runs until it is killed.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Server {
    /// Starts it on a folder, and returns when it listens.
    pub(crate) fn start(folder: &Path, seed: u64) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log(folder)).expect("a log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_dunlin-kill-server"))
            .arg(folder)
            .arg(seed.to_string())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let port =
            line.trim().parse().unwrap_or_else(|_| panic!("the server did not start; see {:?}", self::log(folder)));
        Self { child, port }
    }

    /// Kills it with SIGKILL; it must have been alive.
    pub(crate) fn kill(mut self) {
        assert!(self.child.try_wait().expect("a state").is_none(), "the server ended by itself");
        self.child.kill().expect("killed");
        let status = self.child.wait().expect("a status");
        assert_eq!(status.code(), None, "ended by a signal, not by itself");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the servers say on standard error.
pub(crate) fn log(folder: &Path) -> PathBuf {
    folder.with_extension("log")
}

/// An empty folder of this test's own.
pub(crate) fn empty_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    File::create(log(&folder)).expect("a log");
    folder
}
