//! A function's process, started with the environment that Lambda gives it and nothing else.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::time::Instant;

use crate::Outcome;
use crate::program::Program;

/// A running function; it is killed when it is dropped.
pub(crate) struct Process {
    /// Just before its program was executed.
    pub(crate) started: Instant,
    child: Child,
    log: PathBuf,
}

/// Megabytes (of 10^6 bytes) that a process holds, its program's own pages included.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// At this moment.
    pub(crate) now: f64,
    /// At its most since it started.
    pub(crate) peak: f64,
}

impl Process {
    /// Starts a program beside a Runtime API, with settings of its own; what it logs goes to a file in `folder`.
    pub(crate) fn start(
        program: &Program,
        runtime: SocketAddr,
        settings: impl IntoIterator<Item = (&'static str, String)>,
        folder: &Path,
    ) -> Outcome<Self> {
        let log = folder.join(format!("{}.log", program.name));
        let said = File::create(&log)?;
        let mut command = Command::new(&program.executable);
        command.args(program.script.as_ref()).env_clear().envs(lambda(program.name)).envs(settings);
        command.env("AWS_LAMBDA_RUNTIME_API", runtime.to_string());
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.executable.display()))?;
        Ok(Self { started, child, log })
    }

    /// What it holds now and held at most, as the kernel counts it.
    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kibibytes * 1024.0 / 1e6)
        };
        let known = megabytes("VmRSS:").zip(megabytes("VmHWM:"));
        let (now, peak) = known.ok_or("the kernel does not tell what it holds")?;
        Ok(Memory { now, peak })
    }

    /// What it logged, for when it failed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What Lambda puts into every function's environment (docs.aws.amazon.com/lambda, "Defined runtime environment
/// variables"), with the memory and the log level of `infra/template.yaml`.
fn lambda(name: &str) -> Vec<(&'static str, String)> {
    let fixed = [
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXAMPLE"),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("LANG", "en_US.UTF-8"),
        ("LD_LIBRARY_PATH", "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        ("RUST_LOG", "info,aws=warn,hyper=warn"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    let mut environment: Vec<_> = fixed.map(|(name, value)| (name, value.to_owned())).into();
    environment.push(("AWS_LAMBDA_FUNCTION_NAME", format!("dunlin-{name}")));
    environment.push(("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/dunlin-{name}")));
    environment
}
