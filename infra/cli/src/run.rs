//! Does what the command line says, and turns the outcome into an exit code.

use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::args::{Args, Bench, Command, Part};
use crate::{aws, bench, check, demo, dev, doctor, draw, incident, migrate, parked, pause, push, say, simulate, walk};

/// How a command that did its work found things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As they should be: exit code 0.
    Well,
    /// Not as they should be, as the output says: exit code 1.
    Unwell,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> ExitCode {
    match command(args) {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Unwell) => ExitCode::FAILURE,
        Err(error) => {
            say::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn command(args: Args) -> anyhow::Result<Outcome> {
    match args.command.unwrap_or(Command::Dev(args.dev)) {
        Command::Dev(dev) => on(Builder::new_multi_thread(), dev::dev(dev)),
        Command::Demo(demo) => on(Builder::new_current_thread(), demo::demo(demo)),
        Command::Check(check) => check::check(&check),
        Command::Draw(asked) => draw::draw(&asked),
        Command::Walk(asked) => walk::walk(&asked),
        Command::Push(push) => on(Builder::new_current_thread(), push::push(push)),
        Command::Pause(asked) => on(Builder::new_current_thread(), pause::pause(asked)),
        Command::Delete(asked) => on(Builder::new_current_thread(), pause::delete(asked)),
        Command::Resume(asked) => on(Builder::new_current_thread(), pause::resume(asked)),
        Command::Migrate(asked) => on(Builder::new_current_thread(), migrate::migrate(asked)),
        Command::Parked(parked) => on(Builder::new_current_thread(), parked::parked(parked)),
        Command::Aws(aws) => on(Builder::new_multi_thread(), aws::aws(aws)),
        Command::Doctor(doctor) => on(Builder::new_current_thread(), doctor::doctor(doctor)),
        Command::Incident(incident) => on(Builder::new_current_thread(), incident::incident(incident)),
        Command::Simulate(asked) => simulate::simulate(&asked),
        Command::Bench(Bench { part: Some(Part::Timers(asked)), .. }) => {
            on(Builder::new_current_thread(), bench::timers::bench(asked))
        }
        Command::Bench(bench) => on(Builder::new_multi_thread(), bench::bench(bench)),
    }
}

/// Runs a future on a runtime, and does not wait for what it leaves behind.
fn on(mut runtime: Builder, work: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    let runtime: Runtime = runtime.enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}
