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

#[test]
fn who_bounces_is_suppressed_and_who_is_deleted_is_erased_whoever_dies() {
    survives("a mail bounces, and its person is deleted");
}

#[test]
fn a_call_that_no_queue_took_comes_back_whoever_dies() {
    survives("calls are spilled while their queue is away");
}

#[test]
fn a_mail_of_unknown_outcome_is_resolved_by_policy_whenever_send_dies() {
    survives("SES does not answer, and stays silent");
}

#[test]
fn a_call_in_the_second_lane_becomes_a_mail_whoever_dies() {
    survives("a flood takes the second lane");
}

#[test]
fn what_is_parked_goes_back_and_is_gone_whoever_dies() {
    survives("what nobody can read is parked, and goes back");
}

#[test]
fn a_journey_goes_one_way_and_its_date_is_looked_at_whoever_dies() {
    survives("a journey waits for a morning and for a date");
}

#[test]
fn a_webhook_is_tried_and_given_up_whenever_hook_dies() {
    survives("a webhook finds nobody, and is given up");
}

#[test]
fn a_run_hears_what_it_waits_for_whoever_dies() {
    survives("a basket is paid for while a run waits");
}

#[test]
fn a_round_is_gone_once_and_left_once_whoever_dies() {
    survives("somebody is reminded until they settle");
}

#[test]
fn what_a_step_does_is_done_once_whoever_dies() {
    survives("steps act, and what they did starts something else");
}

#[test]
fn a_run_sees_what_is_true_and_reaches_its_goal_whoever_dies() {
    survives("somebody hopes for what comes true, and has a goal");
}

#[test]
fn a_rule_holds_and_a_date_is_reached_whoever_dies() {
    survives("rules let somebody in, and keep them out");
    survives("a date is reached that was another one");
}

#[test]
fn an_operator_sees_and_changes_everything_however_often_manage_dies() {
    survives("an operator looks at everything");
    survives("an operator changes everything");
}

#[test]
fn runs_are_moved_and_go_on_in_turn_whoever_dies() {
    survives("an operator moves runs to another version");
    survives("a campaign is resumed with overdue runs");
}

#[test]
fn every_story_is_played() {
    let played = include_str!("crashes.rs");
    assert!(STORIES.iter().all(|story| played.contains(&format!("survives({:?})", story.name))));
}
