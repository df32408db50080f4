//! What it costs to find those whom an event concerns, among all that wait for one like it.

use dunlin_core::campaign::Campaign;
use dunlin_local::{Function, Service};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::bench::timers::rows::{Filling, Rowed, Rows};
use crate::bench::virtual_time::{START, Virtual};

/// A cart that waits to be bought.
pub(crate) const CART: &str = "
id: cmp_cart
name: Cart
kind: workflow
trigger: {event: Began}
steps:
  - wait_for: {event: Bought, match: {cart: event.cart}}
    within: 30 days
";
/// How many carts wait for the one person who has many.
pub(crate) const CARTS: u64 = 1_000;
/// Events over which units are averaged.
const EVENTS: u64 = 100;
/// Events of one person, over whom a mean is taken.
const FEW: u64 = 8;

/// What an event costs, the mean of [`EVENTS`].
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    /// Requests to the tables, and to queues.
    pub(crate) requests: f64,
    pub(crate) queue_requests: f64,
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

/// What an event costs among so many that wait.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Matching {
    /// Carts that wait for an event, each of a person of its own.
    pub(crate) waiting: u64,
    /// An event about nobody's cart.
    pub(crate) nobody: Cost,
    /// An event about a person's only cart.
    pub(crate) one: Cost,
    /// An event about one of the [`CARTS`] of one person.
    pub(crate) of_many: Cost,
}

/// A project whose carts wait.
pub(crate) struct Carts {
    stage: Virtual,
    rowed: Rowed,
    waiting: u64,
    events: u64,
}

impl Carts {
    /// One person with [`CARTS`] carts, nobody else.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let stage = Virtual::start().await?;
        let campaign: Campaign = stage.publish(CART).await?;
        stage.world.advance(SignedDuration::from_secs(10)).await;
        let rowed = Rowed::new(&stage.place, campaign, START.parse()?);
        let carts = Self { stage, rowed, waiting: 0, events: 0 };
        carts.put((0..CARTS).map(|n| ("many".to_owned(), u64::MAX - n, format!("cart-{n}"))))?;
        Ok(carts)
    }

    /// Lets more wait, up to so many, and counts what events cost then.
    pub(crate) async fn among(&mut self, waiting: u64) -> anyhow::Result<Matching> {
        let more = (self.waiting..waiting).map(|n| (format!("user-{n}"), n, format!("cart-{n}")));
        self.put(more)?;
        self.waiting = waiting.max(self.waiting);
        let spread = self.waiting / EVENTS;
        // The functions read the campaign first, which is not the event's cost.
        self.cost(EVENTS, |n| (format!("first-{n}"), "cart-none".to_owned())).await?;
        // Others each time: who has some history writes it out now and then, which is not the waiting's cost.
        let nobody = self.cost(EVENTS, |n| (format!("nobody-{waiting}-{n}"), "cart-none".to_owned())).await?;
        let one = self.cost(EVENTS, |n| (format!("user-{}", n * spread), format!("cart-{}", n * spread))).await?;
        // Who makes more than ten calls within five minutes is asked for what was forgotten, which is no cost of waiting.
        let clock = self.stage.world.cloud().clock();
        clock.advance_to(clock.now() + SignedDuration::from_mins(6));
        self.cost(1, |_| (format!("again-{waiting}"), "cart-none".to_owned())).await?;
        let of_many = self.cost(FEW, |n| ("many".to_owned(), format!("cart-{n}"))).await?;
        Ok(Matching { waiting: self.waiting, nobody, one, of_many })
    }

    /// Puts what they wait for into the table; the runs and their timers, which nobody reads here, are left out.
    fn put(&self, carts: impl Iterator<Item = (String, u64, String)>) -> anyhow::Result<()> {
        let start: Timestamp = START.parse()?;
        let mut filling = Filling::new(self.stage.world.cloud(), &self.stage.world.settings().prefix);
        for (user, n, cart) in carts {
            let waiters = self.rowed.of(n, &user, start, &cart)?.waiters;
            filling.add(Rows { waiters, ..Rows::default() })?;
        }
        filling.put()
    }

    /// Evaluates an event about each of these persons and carts, one after the other.
    async fn cost(&mut self, events: u64, of: impl Fn(u64) -> (String, String)) -> anyhow::Result<Cost> {
        let world = &self.stage.world;
        let (mut requests, mut queue_requests, mut read_units, mut write_units) = (0, 0, 0.0, 0.0);
        for n in 0..events {
            let (user, cart) = of(n);
            self.events += 1;
            let data = json!({"cart": cart, "n": self.events});
            let body = json!({"identity": {"id": user}, "event_name": "Bought", "data": data});
            self.stage.post("/api/v2/events/track", body.to_string()).await?;
            let before = world.cloud().meter().snapshot();
            while world.poll(Function::Evaluate).await > 0 {}
            let used = world.cloud().meter().snapshot().difference(&before);
            let tables = used.total(Service::DynamoDb);
            requests += tables.requests;
            queue_requests += used.get(Service::SqsStandard, "SendMessageBatch").requests;
            read_units += tables.read_units;
            write_units += tables.write_units;
        }
        let mean = |sum: f64| sum / events as f64;
        Ok(Cost {
            requests: mean(requests as f64),
            queue_requests: mean(queue_requests as f64),
            read_units: mean(read_units),
            write_units: mean(write_units),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_awaited_event_costs_the_same_however_many_wait() {
        let mut carts = Carts::start().await.expect("carts");
        let few = carts.among(100).await.expect("costs");
        let many = carts.among(3_000).await.expect("costs");
        assert!((few.one.queue_requests - 1.0).abs() < 1e-9, "who waits is told: {few:?}");
        assert!((few.of_many.queue_requests - 1.0).abs() < 1e-9, "who waits is told: {few:?}");
        assert!(few.nobody.queue_requests < 1e-9, "{few:?}");
        for (before, after) in [(few.nobody, many.nobody), (few.one, many.one)] {
            assert!((after.requests - before.requests).abs() < 0.05, "{few:?} {many:?}");
            assert!((after.read_units - before.read_units).abs() < 0.05, "{few:?} {many:?}");
        }
        assert!((many.of_many.read_units - few.of_many.read_units).abs() < 0.05, "{few:?} {many:?}");
    }
}
