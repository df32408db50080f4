//! Baskets: a workflow that waits for the payment of the very basket that was filled, and the model of what it hears. It
//! listens at once, pauses, and listens again; whenever the payment comes, and however often, one of two mails leaves.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use dunlin_core::call::Action;

use crate::model::Story;
use crate::observed::Accepted;
use crate::workload::{Person, Planned, What};

/// The event that starts it.
pub const FILLED: &str = "Filled";
/// The event that it waits for.
pub const PAID: &str = "Paid";
/// Its campaign.
pub const CAMPAIGN: &str = "cmp_basket";
/// Baskets of one person: so few that payments are for the right one as often as for another.
const BASKETS: u64 = 2;
/// The first number of a drawn call about baskets: above those of all others.
const FIRST: u64 = 1_000;
/// Seconds for which it listens at first.
const SOON: i64 = 120;
/// Seconds for which it then pauses.
const PAUSE: i64 = 60;
/// Seconds for which it listens again: more than a timer has whose hint is given at once.
const WITHIN: i64 = 1_200;
/// Seconds after which it gives up.
pub const LISTENS: i64 = SOON + PAUSE + WITHIN;
/// How long after it has begun to listen a run looks once more, in whole seconds of a queue (docs/campaigns.md).
const LOOK: SignedDuration = SignedDuration::from_secs(7);

/// The campaign as its file.
#[must_use]
pub fn campaign() -> String {
    let paid = format!("wait_for: {{event: {PAID}, match: {{basket: event.basket}}}}, as: paid, happened: thanks");
    format!(
        "{{id: {CAMPAIGN}, name: Basket, kind: workflow, trigger: {{event: {FILLED}}},
          messages: {{
            thanks: {{subject: 'thanks {{{{ event.n }}}} {{{{ journey.paid.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
            basket: {{subject: 'basket {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{name: soon, {paid}, within: {SOON} seconds}}, {{wait: {PAUSE} seconds}},
            {{name: late, {paid}, within: {WITHIN} seconds, timed_out: basket}},
            {{name: basket, send: basket, next: over}}, {{name: thanks, send: thanks}}, {{name: over, exit: over}}]}}"
    )
}

/// The properties of one of its events: the basket is told by the call's number.
#[must_use]
pub fn data(number: u64) -> Value {
    json!({"n": number, "basket": number % BASKETS})
}

/// Draws some baskets: each is filled once, and then paid for before, beside or after that, or not, and sometimes another
/// one is.
#[must_use]
pub fn draw(start: Timestamp, chance: &mut StdRng) -> Vec<Planned> {
    let (people, mut numbers) = (Person::all().collect::<Vec<_>>(), (FIRST..).step_by(2));
    let mut calls = Vec::new();
    for _ in 0..chance.random_range(3..9) {
        let Some(person) = people.get(chance.random_range(0..people.len())).copied() else { continue };
        let filled = start + SignedDuration::from_millis(chance.random_range(90_000..14_400_000));
        let basket = chance.random_range(0..BASKETS);
        let mut plan = |at, event, basket, twice| {
            let number = numbers.next().unwrap_or(FIRST) + basket;
            calls.push(Planned { number, at, person, what: What::Track { event }, twice });
        };
        plan(filled, FILLED, basket, chance.random_bool(0.1));
        for _ in 0..chance.random_range(0..3) {
            let millis = match chance.random_range(0..5) {
                0 => chance.random_range(-30_000..2_000),
                1 => chance.random_range(0..SOON * 1_000),
                2 => chance.random_range(115_000..195_000),
                3 => chance.random_range(180_000..1_380_000),
                _ => chance.random_range(1_370_000..1_395_000),
            };
            let paid = if chance.random_bool(0.8) { basket } else { BASKETS - 1 - basket };
            plan(filled + SignedDuration::from_millis(millis), PAID, paid, chance.random_bool(0.1));
        }
    }
    calls
}

/// The payments that a run may have heard of, and until when it listened.
#[derive(Clone, Debug)]
pub struct Hearing<'a> {
    filled: &'a Accepted,
    /// Payments of the same basket.
    paid: Vec<&'a Accepted>,
    /// When it was seen to listen again, or to have gone on by then.
    reached: Option<Timestamp>,
}

impl<'a> Hearing<'a> {
    /// What the run of this event may have heard; `reached` is when it listened again, at the latest.
    #[must_use]
    pub fn of(story: &Story<'a>, filled: &'a Accepted, reached: Option<Timestamp>) -> Self {
        let basket = told(filled, FILLED, "basket");
        let paid = story.calls.iter().copied().filter(|one| basket.is_some() && told(one, PAID, "basket") == basket);
        Self { filled, paid: paid.collect(), reached }
    }

    /// When it is due to listen again.
    #[must_use]
    pub fn again(&self) -> Timestamp {
        self.filled.call.at + SignedDuration::from_secs(SOON + PAUSE)
    }

    /// When it listens no more: at the earliest and at the latest. A wait of twenty minutes that begins up to two minutes
    /// late ends as though it had not; what is later counts from then.
    #[must_use]
    pub fn ends(&self) -> (Timestamp, Timestamp) {
        let first = self.filled.call.at + SignedDuration::from_secs(LISTENS);
        (first, self.reached.map_or(Timestamp::MAX, |reached| first.max(reached + SignedDuration::from_secs(WITHIN))))
    }

    /// The payments in time that were taken by `known`: who decides later knows of them.
    pub fn surely(&self, known: Timestamp) -> impl Iterator<Item = &'a Accepted> {
        let (ends, _) = self.ends();
        self.within(ends).filter(move |one| one.done_at.is_some_and(|at| at <= known))
    }

    /// The payments, perhaps in time, that a queue had by `known`: who decides earlier knows of no others.
    pub fn possibly(&self, known: Timestamp) -> impl Iterator<Item = &'a Accepted> {
        let (_, ends) = self.ends();
        self.within(ends).filter(move |one| one.queued_at.is_some_and(|at| at <= known))
    }

    fn within(&self, ends: Timestamp) -> impl Iterator<Item = &'a Accepted> {
        let from = self.filled.call.at;
        self.paid.clone().into_iter().filter(move |one| (from..=ends).contains(&one.call.at))
    }

    /// When thanks are due, if it hears: once a payment is taken, but for one in the pause, and a little later where it
    /// met the run on its way.
    #[must_use]
    pub fn thanks_by(&self) -> Timestamp {
        let soon = self.filled.call.at + SignedDuration::from_secs(SOON) - LOOK;
        let heard = |done: Timestamp| if done < soon { done } else { done.max(self.again()) } + LOOK;
        let (first, last) = self.ends();
        let known = self.within(first).filter_map(|one| one.done_at).map(heard);
        known.min().map_or(last, |known| known.min(last))
    }
}

/// A property of an event of this name, if it is one.
fn told(accepted: &Accepted, event: &str, property: &str) -> Option<u64> {
    match &accepted.call.action {
        Action::Track { name, data, .. } if name.as_str() == event => data.get(property).and_then(Value::as_u64),
        _ => None,
    }
}

/// The number of a payment.
#[must_use]
pub fn number(paid: &Accepted) -> u64 {
    told(paid, PAID, "n").unwrap_or_default()
}
