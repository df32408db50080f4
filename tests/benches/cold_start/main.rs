//! How fast a cold start is and what a function holds in memory: every function as built for deployment, started again and
//! again before a stub of Lambda's Runtime API and the local AWS, beside a thin function of Node 20 and of Python.
//!
//! ```sh
//! infra/build x86_64                                    # arm64 on such a machine
//! tests/benches/cold_start/run                          # installs the other two, then the bench
//! cargo bench -p dunlin-tests --bench cold_start        # the bench; the other two only if they are installed
//! ```
//!
//! A start runs from just before `exec` to the first poll, so everything a function does at init is in it: its clients and
//! their first connections. In each round every program starts once, one after the other, so that a busy machine is busy
//! for all of them. A message is handed over once, so each has work that was not done before; a failure ends the bench,
//! since it would pass for speed. Nothing is asserted on a time.
//!
//! What differs from Lambda: this machine's whole cores and warm disk, nothing downloaded, and no TLS to AWS, neither its
//! handshakes nor its buffers. The other two do less than `evaluate` (no campaign, no run, no timer) and speak the Runtime
//! API in a few lines instead of AWS's own client: both favour them. They load AWS's SDK as it is installed; bundled into
//! one file, Node's starts about a quarter sooner.

mod ground;
mod process;
mod program;
mod stub;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use crate::ground::Ground;
use crate::process::Process;
use crate::program::Program;
use crate::stub::Stub;
use crate::table::Samples;

/// Starts of each program.
const STARTS: usize = 10;
/// Invocations of each start after its first.
const WARM: usize = 20;

/// What is done, or why not.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    match bench().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures every program and prints what came out.
async fn bench() -> Outcome {
    let root = dunlin_tests::root();
    let (mut programs, others) = (program::ours(&root)?, program::others(&root));
    let (ours, versions) = (programs.len(), others.iter().map(Program::version).collect::<Outcome<Vec<_>>>()?);
    // Right behind `evaluate`, whose events they get.
    let behind = programs.iter().position(|program| program.name == "evaluate").map_or(ours, |place| place + 1);
    programs.splice(behind..behind, others);
    let logs = root.join("target/cold-start");
    std::fs::create_dir_all(&logs)?;
    let mut bench = Bench { ground: Ground::lay().await?, logs };
    // The first round is not counted: it fills the disk's cache, and the local AWS answers its first requests.
    bench.round(&programs, &mut programs.iter().map(Samples::of).collect::<Vec<_>>()).await?;
    let mut samples: Vec<Samples> = programs.iter().map(Samples::of).collect();
    for round in 1..=STARTS {
        eprintln!("round {round} of {STARTS}");
        bench.round(&programs, &mut samples).await?;
    }
    bench.ground.check().await?;
    let (ours, others): (Vec<Samples>, Vec<Samples>) = samples.into_iter().partition(|samples| samples.size.is_some());
    println!("{STARTS} starts of each, {WARM} warm calls a start; over loopback without TLS; {}", versions.join(", "));
    table::show(&ours, &others);
    if versions.len() < 2 {
        println!("left out for want of installation: Node or Python (tests/benches/cold_start/run installs them)");
    }
    Ok(())
}

/// The place of the measurements.
struct Bench {
    ground: Ground,
    logs: PathBuf,
}

impl Bench {
    /// One start of each program, in their order.
    async fn round(&mut self, programs: &[Program], samples: &mut [Samples]) -> Outcome {
        for (program, samples) in programs.iter().zip(samples) {
            self.measure(program, samples).await?;
        }
        Ok(())
    }

    /// One start of a program and its invocations.
    async fn measure(&mut self, program: &Program, samples: &mut Samples) -> Outcome {
        let events = self.ground.events(program.name, 1 + WARM).await?;
        let mut stub = Stub::start().await?;
        let settings = self.ground.settings(program.settings);
        let process = Process::start(program, stub.address, settings, &self.logs)?;
        let told = play(&mut stub, &process, &events, samples).await;
        told.map_err(|error| format!("{}: {error}\n{}", program.name, process.log()).into())
    }
}

/// Waits for the first poll, hands over the events, and writes down how it went.
async fn play(stub: &mut Stub, process: &Process, events: &[String], samples: &mut Samples) -> Outcome {
    let polled = stub.polled().await?;
    samples.first_poll.push(milliseconds(polled.duration_since(process.started)));
    samples.init.push(process.memory()?.now);
    for (n, event) in events.iter().enumerate() {
        let (took, answer) = stub.invoke(event).await?;
        succeeded(&answer)?;
        let calls = if n == 0 { &mut samples.first_call } else { &mut samples.warm_call };
        calls.push(milliseconds(took));
        stub.polled().await?;
    }
    samples.peak.push(process.memory()?.peak);
    Ok(())
}

/// Whether a function did what it was asked: a failure must not count as speed.
fn succeeded(answer: &str) -> Outcome {
    let answer: Value = serde_json::from_str(answer)?;
    let failed = answer.get("batchItemFailures").and_then(Value::as_array).is_some_and(|failed| !failed.is_empty());
    let status = answer.get("statusCode").and_then(Value::as_u64).unwrap_or(200);
    if failed || status >= 400 { Err(format!("it answered {answer}").into()) } else { Ok(()) }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
