//! Rounds: a workflow that reminds somebody each hour until they settle, and the model of what it hears.

use dunlin_core::call::Action;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::model::Story;
use crate::observed::Accepted;
use crate::workload::{Person, Planned, What, is_twice, numbered};

/// The event that starts it.
pub const OWED: &str = "Owed";
/// The event that it waits for.
pub const SETTLED: &str = "Settled";
/// Its campaign.
pub const CAMPAIGN: &str = "cmp_rounds";
/// How long it waits in each round.
pub const ROUND: SignedDuration = SignedDuration::from_hours(1);
/// The first number of a call that is drawn here: above those of hopes.
const FIRST: u64 = 20_000;
/// When everybody settles who has not: behind every trouble, or the rounds would not end.
const AT_LAST: SignedDuration = SignedDuration::from_hours(24);

/// The campaign as its file.
#[must_use]
pub fn campaign() -> String {
    format!(
        "{{id: {CAMPAIGN}, name: Rounds, kind: workflow, trigger: {{event: {OWED}}},
          messages: {{round: {{subject: 'round {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{name: again, send: round}},
            {{wait_for: {{event: {SETTLED}}}, within: 1 hour, happened: over, timed_out: again}}, {{name: over, exit: over}}]}}"
    )
}

/// Draws somebody who owes, sometimes twice, and settles before, within or after some rounds.
#[must_use]
pub fn draw(start: Timestamp, chance: &mut StdRng) -> Vec<Planned> {
    let people: Vec<Person> = Person::all().collect();
    let Some(person) = people.get(chance.random_range(0..people.len())).copied() else { return Vec::new() };
    let mut calls = vec![(start + AT_LAST, person, What::Track { event: SETTLED })];
    for _ in 0..chance.random_range(1..3) {
        let owed = start + SignedDuration::from_millis(chance.random_range(90_000..14_400_000));
        calls.push((owed, person, What::Track { event: OWED }));
        for _ in 0..chance.random_range(1..3) {
            // As often as not when a round is about to be over.
            let round = ROUND * chance.random_range(0..4);
            let within = if chance.random_bool(0.5) { -10_000..10_000 } else { 0..3_600_000 };
            let settled = owed + round + SignedDuration::from_millis(chance.random_range(within));
            calls.push((settled, person, What::Track { event: SETTLED }));
        }
    }
    numbered(FIRST, calls, |what| is_twice(what, chance))
}

/// What settled a debt: every such event from it on.
pub fn settled<'a>(story: &Story<'a>, owed: &'a Accepted) -> impl Iterator<Item = &'a Accepted> {
    let is_it = |one: &&Accepted| matches!(&one.call.action, Action::Track { name, .. } if name.as_str() == SETTLED);
    story.calls.clone().into_iter().filter(is_it).filter(move |one| one.call.at >= owed.call.at)
}
