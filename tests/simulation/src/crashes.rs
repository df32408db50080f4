//! Crash enumeration: short stories in which an environment dies at each request that any handler makes, before its effect
//! and after it, and then at every pair of such points. Nothing is sampled.

use dunlin_local::faults::Side;
use dunlin_local::{Door, Function};
use jiff::SignedDuration;

use crate::house::Unbuilt;
use crate::judge::Violation;
use crate::play::{Outcome, Plan, START, perform};
use crate::scenario::Scenario;
use crate::sim::{Conduct, Role};
use crate::workload::{PROJECTS, Person, Planned, What};

/// A short story, and the handlers that die in it.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// Its name.
    pub name: &'static str,
    /// What the person does, a minute apart; identified first.
    events: &'static [&'static str],
    /// The seconds of the waits.
    waits: [i64; 2],
    /// Whether an operator publishes and the recipient unsubscribes.
    visits: bool,
    /// Who dies.
    dies: fn(Role) -> bool,
}

/// The stories: between them every handler makes every kind of its requests.
pub const STORIES: [Story; 4] = [
    Story { name: "a receipt is sent", events: &["Bought"], waits: [1, 1], visits: false, dies: |_| true },
    Story {
        name: "a series waits for seconds",
        events: &["Signed up"],
        waits: [5, 5],
        visits: false,
        dies: |role| !matches!(role, Role::Sweep | Role::Function(Function::Feedback)),
    },
    Story {
        name: "a sweep wakes a run after half an hour",
        events: &["Signed up"],
        waits: [1_800, 1],
        visits: false,
        dies: |role| role == Role::Sweep,
    },
    Story {
        name: "an operator publishes, a recipient unsubscribes",
        events: &["Looked"],
        waits: [1, 1],
        visits: true,
        dies: |role| matches!(role, Role::Door(Door::Link | Door::Manage)),
    },
];

/// A point at which an environment dies: at the n-th request of the story, on this side of its effect.
pub type Point = (u64, Side);

/// What came of one enumeration.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests of the undisturbed story by those who die.
    pub awaits: u64,
    /// Single points.
    pub points: u64,
    /// Pairs of points.
    pub pairs: u64,
    /// Mails whose outcome was unknown for a while.
    pub unknown: u64,
    /// What should not be, with the points at which it was seen.
    pub violations: Vec<(Vec<Point>, Violation)>,
}

impl Counts {
    /// Takes another part of the enumeration in.
    pub fn add(&mut self, other: Self) {
        self.awaits += other.awaits;
        self.points += other.points;
        self.pairs += other.pairs;
        self.unknown += other.unknown;
        self.violations.extend(other.violations);
    }

    fn take(&mut self, deaths: &[Point], outcome: &Outcome) {
        self.unknown += outcome.unknown;
        self.violations.extend(outcome.violations.iter().map(|violation| (deaths.to_vec(), violation.clone())));
    }
}

impl Story {
    /// Plays it with these deaths.
    ///
    /// # Errors
    /// [`Unbuilt`]
    pub fn play(&self, deaths: &[Point]) -> Result<Outcome, Unbuilt> {
        let person = Person { project: 0, place: 0 };
        let identify = std::iter::once(What::Identify { plan: "free" });
        let whats = identify.chain(self.events.iter().map(|event| What::Track { event }));
        let calls = (1_u64..).zip(whats).map(|(number, what)| {
            let at = START + SignedDuration::from_secs(i64::try_from(number).unwrap_or(0) * 20);
            Planned { number, at, person, what, twice: false }
        });
        perform(Plan {
            seed: 1,
            scenario: Scenario::Handlers,
            waits: [self.waits; PROJECTS],
            calls: calls.collect(),
            conduct: Conduct { deaths: deaths.to_vec(), concurrency: Some(2), ..Conduct::smooth() },
            phases: Vec::new(),
            visits: self.visits,
        })
    }

    /// The points at which somebody may die after the `last` one, in a story whose requests these made.
    fn points(&self, asked: &[Role], last: u64) -> Vec<Point> {
        let numbered = (1_u64..).zip(asked).filter(|(number, role)| *number > last && (self.dies)(**role));
        numbered.flat_map(|(number, _)| [(number, Side::Before), (number, Side::After)]).collect()
    }

    /// Every single point; with `pairs`, after each of them every second one. `part` of `parts` of the first points are
    /// played, so that threads can share them.
    ///
    /// # Errors
    /// [`Unbuilt`]
    pub fn enumerate(&self, pairs: bool, part: usize, parts: usize) -> Result<Counts, Unbuilt> {
        let smooth = self.play(&[])?;
        let mut counts = Counts::default();
        let points = self.points(&smooth.asked, 0);
        if part == 0 {
            counts.awaits = u64::try_from(points.len() / 2).unwrap_or(0);
            counts.take(&[], &smooth);
        }
        for first in points.iter().skip(part).step_by(parts) {
            let outcome = self.play(&[*first])?;
            counts.points += 1;
            counts.take(&[*first], &outcome);
            if !pairs {
                continue;
            }
            for second in self.points(&outcome.asked, first.0) {
                let deaths = [*first, second];
                counts.pairs += 1;
                counts.take(&deaths, &self.play(&deaths)?);
            }
        }
        Ok(counts)
    }
}
