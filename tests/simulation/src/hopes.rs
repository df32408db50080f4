//! Hopes: a workflow that waits until something is true of the person, and one that has a goal and conditions that end it.
//! The model of the first: what may have been seen true while it waited.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;

use dunlin_core::limits::SEEN_CALLS;

use crate::model::{State, Story};
use crate::workload::{Person, Planned, What, is_twice, numbered};

/// The event that starts the one that waits.
pub const HOPED: &str = "Hoped";
/// Its campaign.
pub const CAMPAIGN: &str = "cmp_hope";
/// The event that starts the one with a goal.
pub const SOUGHT: &str = "Sought";
/// Its campaign.
pub const QUEST: &str = "cmp_quest";
/// What it is there to bring about.
pub const GOAL: &str = "Bought";
/// Seconds for which the first one waits, and the second.
pub const WITHIN: i64 = 1_200;
/// The first number of a call that is drawn here: above those of baskets.
const FIRST: u64 = 10_000;

/// The campaigns as their files.
#[must_use]
pub fn campaigns() -> [String; 2] {
    let hope = format!(
        "{{id: {CAMPAIGN}, name: Hope, kind: workflow, trigger: {{event: {HOPED}}},
          messages: {{hope: {{subject: 'hope {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait_until: [{{tag: vip}}], within: {WITHIN} seconds, timed_out: over}}, {{send: hope}}, {{name: over, exit: over}}]}}"
    );
    let quest = format!(
        "{{id: {QUEST}, name: Quest, kind: workflow, trigger: {{event: {SOUGHT}}},
          goal: {{event: {GOAL}}}, exits: {{goal: true, unsubscribed: true, unless: [{{no_tag: vip}}]}},
          messages: {{quest: {{subject: 'quest {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: {WITHIN} seconds}}, {{send: quest}}]}}"
    );
    [hope, quest]
}

/// Draws what people hope for and seek, with tags and purchases before, within and after, and with people who
/// unsubscribe in between.
#[must_use]
pub fn draw(start: Timestamp, chance: &mut StdRng) -> Vec<Planned> {
    let people: Vec<Person> = Person::all().collect();
    let mut calls = Vec::new();
    for _ in 0..chance.random_range(2..6) {
        let Some(person) = people.get(chance.random_range(0..people.len())).copied() else { continue };
        let at = start + SignedDuration::from_millis(chance.random_range(90_000..14_400_000));
        let event = if chance.random_bool(0.5) { HOPED } else { SOUGHT };
        calls.push((at, person, What::Track { event }));
        for _ in 0..chance.random_range(0..3) {
            let near = match chance.random_range(0..3) {
                0 => chance.random_range(-60_000..60_000),
                1 => chance.random_range(0..WITHIN * 1_000),
                _ => chance.random_range((WITHIN - 10) * 1_000..(WITHIN + 10) * 1_000),
            };
            let what = match chance.random_range(0..6) {
                0 if event == SOUGHT => What::Track { event: GOAL },
                1 if event == SOUGHT => What::Remember { event: GOAL },
                2 if event == SOUGHT => What::Unsubscribe,
                3 => What::Tag { add: false },
                4 => What::Resubscribe,
                _ => What::Tag { add: true },
            };
            calls.push((at + SignedDuration::from_millis(near), person, what));
        }
    }
    // Somebody calls more often within minutes than a profile remembers.
    if let Some(person) = people.get(chance.random_range(0..people.len())).copied().filter(|_| chance.random_bool(0.5))
    {
        let from = start + SignedDuration::from_millis(chance.random_range(90_000..1_800_000));
        for _ in 0..chance.random_range(SEEN_CALLS + 1..2 * SEEN_CALLS) {
            let at = from + SignedDuration::from_millis(chance.random_range(0..200_000));
            calls.push((at, person, What::Track { event: GOAL }));
        }
    }
    numbered(FIRST, calls, |what| is_twice(what, chance))
}

/// Whether it is true of a person that somebody hopes for.
#[must_use]
pub fn holds(state: &State, at: Timestamp) -> bool {
    state.remembers(at) && state.vip
}

/// From when on it stayed true until `ends`, whatever else was taken, and everybody may have known: none where it did not.
#[must_use]
pub fn stays_true(story: &Story<'_>, index: usize, ends: Timestamp) -> Option<Timestamp> {
    let at = story.calls.get(index)?.call.at;
    let after = |count: usize| State::after(story.calls.iter().take(count).map(|one| &one.call));
    let by_then = story.calls.iter().filter(|one| one.queued_at.is_some_and(|at| at <= ends)).count();
    let from = (index + 1..=by_then).rev().take_while(|count| holds(&after(*count), at)).last()?;
    story.calls.iter().take(from).map(|one| one.done_at).max().flatten()
}
