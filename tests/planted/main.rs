//! Planted faults: what other systems did wrong is put into our own code, one at a time, and the simulation finds each
//! within a stated number of seeds (docs/testing.md has the table).

// In a release build there is nothing to find.
#![cfg(debug_assertions)]
#![allow(clippy::expect_used, reason = "a story that fails fails the test")]

mod overload;
mod plans;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use dunlin_aws::planted::{Bug, plant};
use dunlin_simulation::judge::Violation;
use dunlin_simulation::play::perform;
use dunlin_simulation::scenario::Scenario;

use crate::plans::Story;

/// Where each fault shows, and within how many seeds: as many as it took when this was written, and some room.
const SHOWS: [(Bug, Story, u64); 17] = [
    (Bug::ClaimUnconditional, Story::Of(Scenario::Handlers), 10),
    (Bug::ConsentUnchecked, Story::Quarrel, 4),
    (Bug::SesRetries, Story::BusyMail, 4),
    (Bug::ExpiredClaimReclaimed, Story::HotLedger, 4),
    (Bug::ThrottledIsRefused, Story::BusyMail, 3),
    (Bug::TimerPutUnconditional, Story::ShortWaits, 4),
    (Bug::CursorBeforeHints, Story::NoHints, 4),
    (Bug::StuckByDueTime, Story::Of(Scenario::Healthy), 2),
    (Bug::ShortPageIsLast, Story::ShortPages, 5),
    (Bug::EarlyStepTaken, Story::Of(Scenario::Healthy), 3),
    (Bug::MillisecondsAsSeconds, Story::Of(Scenario::Healthy), 3),
    (Bug::LocalTimeAsUtc, Story::Of(Scenario::Healthy), 3),
    (Bug::DeduplicatedTooLate, Story::Of(Scenario::Tables), 3),
    (Bug::FailureAcknowledged, Story::Of(Scenario::Tables), 3),
    (Bug::AnsweredBeforeStored, Story::Of(Scenario::Outage), 3),
    (Bug::TakenBeforeStored, Story::Bargains, 3),
    (Bug::PastUnheard, Story::Pauses, 2),
];

/// Plays a seed with a fault in our own code, or without: what is wrong.
fn played(story: Story, seed: u64, bug: Option<Bug>) -> Vec<Violation> {
    plant(bug);
    let outcome = perform(story.plan(seed)).expect("a story");
    plant(None);
    outcome.violations
}

/// A fault that was found: seeds played, and the rule that it broke first.
struct Found {
    seeds: u64,
    rule: &'static str,
}

/// Plays seeds until the judge finds the fault; each must be clean without it.
fn hunt(bug: Bug, story: Story, within: u64) -> Option<Found> {
    for seed in 0..within {
        let clean = played(story, seed, None);
        assert!(clean.is_empty(), "{} {seed}, nothing planted: {clean:?}", story.name());
        if let Some(violation) = played(story, seed, Some(bug)).first() {
            return Some(Found { seeds: seed + 1, rule: violation.rule });
        }
    }
    None
}

#[test]
fn every_fault_that_can_be_planted_has_a_story_in_which_it_shows() {
    let shown: Vec<Bug> = SHOWS.iter().map(|(bug, ..)| *bug).collect();
    assert_eq!(shown, Bug::ALL);
}

#[test]
fn the_simulation_finds_every_planted_fault_within_its_seeds() {
    let (left, rows) = (Mutex::new(SHOWS.iter().enumerate()), Mutex::new(BTreeMap::new()));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((place, (bug, story, within))) = next() {
            let found = hunt(*bug, *story, *within);
            rows.lock().unwrap_or_else(PoisonError::into_inner).insert(place, (bug, story, within, found));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(SHOWS.len()));
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("| planted | played in | seeds needed | within | found by the rule |\n|---|---|---|---|---|");
    for (bug, story, within, found) in rows.values() {
        let (seeds, rule) =
            found.as_ref().map_or(("–".to_owned(), "not found"), |found| (found.seeds.to_string(), found.rule));
        println!("| {bug:?} | {} | {seeds} | {within} | {rule} |", story.name());
    }
    let missed: Vec<&&Bug> = rows.values().filter(|row| row.3.is_none()).map(|(bug, ..)| bug).collect();
    assert!(missed.is_empty() && rows.len() == SHOWS.len(), "not found: {missed:?}");
}
