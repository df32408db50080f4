//! Seeds, played in a test: a first look; `dunlin simulate` plays as many as you like.
#![allow(clippy::expect_used, reason = "a story that cannot be played fails the test")]

use dunlin_simulation::judge::Violation;
use dunlin_simulation::play::play;
use dunlin_simulation::scenario::Scenario;

/// What a seed broke, with what is needed to play it again.
fn broken(seed: u64, scenario: Scenario) -> Vec<(u64, &'static str, Violation)> {
    let played = play(seed, scenario).expect("a story");
    played.violations.into_iter().map(|violation| (seed, scenario.name(), violation)).collect()
}

/// Seeds in which a fault of ours was found; each is named by what went wrong.
#[test]
fn what_once_broke_a_promise_does_not_again() {
    let found = [
        (2, Scenario::Tables, "the overdue walk asked for a run twice and stood still for ever"),
        (20, Scenario::Everything, "the same, beside a mail that froze"),
        (34, Scenario::Everything, "a run moved, was taken for another's in the second attempt, and its mail was lost"),
        (708, Scenario::Everything, "where the first sweeps failed for hours, a due timer was left out"),
        (878, Scenario::Everything, "who was deleted between a run's row and its timer left the row for ever"),
        (7048, Scenario::Everything, "a person's spilled calls came back in another order"),
    ];
    for (seed, scenario, what) in found {
        assert_eq!(broken(seed, scenario), [], "{what}");
    }
}

#[test]
fn every_promise_holds_in_every_scenario() {
    for (seed, scenario) in (100..).zip(Scenario::ALL) {
        assert_eq!(broken(seed, scenario), []);
    }
}

#[test]
fn the_same_seed_is_the_same_story() {
    let trace = |seed| play(seed, Scenario::Everything).expect("a story").trace;
    let first = trace(7);
    assert_ne!(trace(8), first);
    assert_eq!(trace(7), first, "whatever was played in between");
}
