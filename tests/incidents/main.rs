//! The five incidents of comparable systems, a fraction of each (`dunlin_simulation::incident::INCIDENTS` says how much;
//! `dunlin incident NAME` plays all of it).

#![allow(clippy::expect_used, reason = "what fails fails the test")]

use dunlin_simulation::incident::{Asked, Incident};

/// Plays an incident and asserts that every promise held.
async fn holds(name: &str) {
    let incident = Incident::find(name).expect("an incident");
    let asked =
        Asked { fraction: incident.tested, seed: 1, server: vec![env!("CARGO_BIN_EXE_dunlin-incident-server").into()] };
    let report = incident.play(asked).await;
    println!("{report}");
    assert!(report.held(), "{report}");
}

#[tokio::test]
async fn long_delays_2017() {
    holds("long_delays_2017").await;
}

#[tokio::test]
async fn store_outage_2018() {
    holds("store_outage_2018").await;
}

#[tokio::test]
async fn intake_memory_2019() {
    holds("intake_memory_2019").await;
}

#[tokio::test]
async fn traffic_flood_2022() {
    holds("traffic_flood_2022").await;
}

#[tokio::test]
async fn stale_reads_2023() {
    holds("stale_reads_2023").await;
}
