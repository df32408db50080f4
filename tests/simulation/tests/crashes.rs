//! Every single crash point; `dunlin simulate --crashes` plays the pairs, too.
#![allow(clippy::expect_used, clippy::panic, reason = "a story that cannot be played fails the test")]

use dunlin_simulation::crashes::STORIES;

fn survives(name: &str) {
    let story = STORIES.iter().find(|story| story.name == name).unwrap_or_else(|| panic!("no story `{name}`"));
    let counts = story.enumerate(false, 0, 1).expect("a story");
    println!("{name}: {} awaits, {} points", counts.awaits, counts.points);
    assert!(counts.points == 2 * counts.awaits && counts.points > 0);
    assert!(counts.violations.is_empty(), "{:?}", counts.violations);
}

#[test]
fn a_receipt_is_sent_whoever_dies_on_its_way() {
    survives("a receipt is sent");
}

#[test]
fn a_series_goes_on_whoever_dies_on_its_way() {
    survives("a series waits for seconds");
}

#[test]
fn a_run_is_woken_whenever_the_sweep_dies() {
    survives("a sweep wakes a run after half an hour");
}

#[test]
fn a_campaign_is_published_and_an_unsubscribe_is_kept_whoever_dies() {
    survives("an operator publishes, a recipient unsubscribes");
}
