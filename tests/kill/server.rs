//! A dunlin to kill: what `dunlin dev` runs, on a port that the system chooses, and a route that says when its queues
//! are at rest. `dunlin-kill-server FOLDER SEED` prints the port and runs until it is killed.

use std::error::Error;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use axum::routing::get;
use dunlin_aws::Clock;
use dunlin_local::{Cloud, Sqs, World};
use tokio::net::TcpListener;

/// How often `/rest` looks before it answers that there is work left, and how long it waits in between.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter("warn").init();
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("the data folder is missing")?;
    let seed: u64 = words.next().ok_or("the seed is missing")?.parse()?;
    let world = World::new(Cloud::open(Path::new(&folder), Clock::System, seed)?, dunlin_tests::settings(), seed);
    let sqs = world.cloud().sqs().clone();
    let router = world.router().route("/rest", get(async move || rest(&sqs).await.to_string()));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        () = world.run() => {}
    }
    Ok(())
}

/// Messages that are visible or in flight, or given up; those with a delay do not count. Waits a moment for none.
async fn rest(sqs: &Sqs) -> u64 {
    let mut left = 0;
    for _ in 0..LOOKS {
        left = sqs.names().iter().map(|queue| sqs.depth(queue)).map(|depth| depth.visible + depth.in_flight).sum();
        if left == 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    left
}
