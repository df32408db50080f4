//! The server is killed with SIGKILL under load, again and again; then what was acknowledged is compared with what
//! arrived.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "what fails fails the test")]

mod http;
mod ledger;
mod load;
mod server_process;

use std::path::Path;

use dunlin_aws::control::{Control, Project};
use dunlin_aws::{Chance, Clock, Stored};
use dunlin_core::campaign;
use dunlin_core::ids::ProjectId;
use dunlin_local::{Cloud, World};
use jiff::SignedDuration;

use crate::http::Connection;
use crate::ledger::Arrived;
use crate::load::Orders;
use crate::server_process::{Server, empty_folder, log};

/// How often the server is killed; `DUNLIN_KILL_ROUNDS=1000 cargo test …` for more.
const ROUNDS: u64 = 50;
/// A kill comes after at least one acknowledgement and at most so many.
const MOST_ACKNOWLEDGED: u64 = 60;
/// How long the last server may take to finish everything; a task that fails once comes again after two minutes.
const DRAIN: SignedDuration = SignedDuration::from_secs(180);

/// One mail for each event, at once.
const RECEIPT: &str = "
id: cmp_receipt
name: Receipt
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message:
  subject: Order {{ event.order }}
  text: Thank you
";

/// A folder with a project and its campaign; returns a token.
#[tokio::main]
async fn prepare(folder: &Path, project: &ProjectId) -> String {
    let clock = Clock::System;
    let world = World::new(Cloud::open(folder, clock.clone(), 1).expect("a cloud"), dunlin_tests::settings(), 1);
    let (control, now) = (Control::new(world.clients(), "dunlin-"), clock.now());
    let state = Project {
        id: project.clone(),
        name: "Larkspur".to_owned(),
        from: None,
        created_at: now,
        timezone: None,
        tokens: 0,
    };
    control.put_project(&Stored { state, version: 0 }).await.expect("a project");
    let parsed = campaign::parse("receipt.yaml", RECEIPT, &Default::default()).expect("a campaign");
    control.publish(project, &parsed, now).await.expect("published");
    let claim = control.issue(project, "load", now).await.expect("a token");
    world.settings().keyring.issue(&claim)
}

/// Waits until nothing is visible or in flight on any queue.
fn drain(port: u16) {
    let deadline = Clock::System.now() + DRAIN;
    let mut connection = Connection::open(port).expect("connected");
    loop {
        let left = connection.get("/rest");
        if left == 0 {
            return;
        }
        assert!(Clock::System.now() < deadline, "{left} messages are left after {DRAIN:#}");
    }
}

/// A number that was given when the test was built.
fn given(number: Option<&str>) -> Option<u64> {
    number.map(|number| number.parse().expect("a number"))
}

#[test]
fn a_server_killed_fifty_times_loses_nothing_it_acknowledged_and_mails_nothing_twice() {
    let seed = given(option_env!("DUNLIN_KILL_SEED")).unwrap_or_else(|| Chance::system().next());
    let rounds = given(option_env!("DUNLIN_KILL_ROUNDS")).unwrap_or(ROUNDS);
    let chance = Chance::seeded(seed);
    let (folder, project, started) = (empty_folder(), ProjectId::derive(&["larkspur"]), Clock::System.now());
    let orders = Orders::new(prepare(&folder, &project));
    for _ in 0..rounds {
        let server = Server::start(&folder, chance.next());
        let port = server.port;
        orders.place(port, 1 + chance.next() % MOST_ACKNOWLEDGED, || server.kill());
    }
    let killed = Clock::System.now();
    let server = Server::start(&folder, chance.next());
    drain(server.port);
    let arrived = Arrived::read(&mut Connection::open(server.port).expect("connected"), &project);
    let took = Clock::System.now().duration_since(started);
    println!("seed {seed}: {rounds} kills in {:#}, {took:#} in all", killed.duration_since(started));
    println!("{}", arrived.compared_with(&orders));
    drop(server);
    let said = std::fs::read_to_string(log(&folder)).expect("a log");
    assert!(!said.contains("panicked"), "{said}");
    drop((std::fs::remove_dir_all(&folder), std::fs::remove_file(log(&folder))));
}
