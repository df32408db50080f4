//! Wire: can we still read every queue message and table item ever written? The golden files are append-only: a line
//! that was ever released stays, and must parse.

#![allow(clippy::expect_used, clippy::panic, reason = "a golden line that does not parse fails the test")]

mod invoke;

use dunlin_core::delivery::Delivery;
use dunlin_core::feedback::Interaction;
use dunlin_core::profile::Profile;
use dunlin_core::run::Run;
use dunlin_core::task::{Calls, Hook, Send, Step, from_text, to_text};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Every line of a golden file parses; its newest line is what we write today.
fn reads_every_line<T: DeserializeOwned + Serialize>(name: &str) {
    let path = dunlin_tests::root().join("tests/fixtures/wire").join(name);
    let text = std::fs::read_to_string(&path).expect("a golden file");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let mut newest = None;
    for (number, line) in lines.iter().enumerate() {
        let read: T = from_text(line).unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            panic!("{name} line {}: {error}: {cause}", number + 1)
        });
        newest = Some(to_text(&read).expect("a text"));
    }
    let last = lines.last().copied().unwrap_or_default();
    assert_eq!(newest.as_deref(), Some(last), "{name}: what is written has changed; append the new form as a new line");
}

#[test]
fn calls_ever_queued_can_be_read() {
    reads_every_line::<Calls>("calls.jsonl");
}

#[test]
fn calls_ever_spilled_can_be_read() {
    reads_every_line::<Vec<dunlin_aws::calls::Outgoing>>("spilled.jsonl");
}

#[test]
fn steps_ever_queued_can_be_read() {
    reads_every_line::<Step>("steps.jsonl");
}

#[test]
fn webhooks_ever_queued_can_be_read() {
    reads_every_line::<Hook>("hooks.jsonl");
}

#[test]
fn mails_ever_queued_can_be_read() {
    reads_every_line::<Send>("sends.jsonl");
}

#[test]
fn interactions_ever_queued_can_be_read() {
    reads_every_line::<Interaction>("interactions.jsonl");
}

#[test]
fn profiles_ever_stored_can_be_read() {
    reads_every_line::<Profile>("profiles.jsonl");
}

#[test]
fn runs_ever_stored_can_be_read() {
    reads_every_line::<Run>("runs.jsonl");
}

#[test]
fn deliveries_ever_stored_can_be_read() {
    reads_every_line::<Delivery>("deliveries.jsonl");
}
