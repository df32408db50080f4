//! Crash enumeration: short stories in which an environment dies at each request that any handler makes, before its effect
//! and after it, and then at every pair of such points. Nothing is sampled.

mod stories;

use dunlin_local::faults::Side;
use dunlin_local::{Fault, Service};
use jiff::SignedDuration;

pub use stories::STORIES;

use crate::house::Unbuilt;
use crate::judge::Violation;
use crate::play::{Outcome, Plan, START, perform, perform_before};
use crate::scenario::{Phase, Scenario};
use crate::sim::{Conduct, Role, Watcher};
use crate::visits::Visit;
use crate::workload::{PROJECTS, Person, Planned, What};

/// A short story, and the handlers that die in it. Times are in seconds after its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// Its name.
    pub name: &'static str,
    /// Who calls what, and when.
    calls: &'static [(i64, Person, What)],
    /// The seconds of the waits.
    waits: [i64; 2],
    /// What operators and recipients do, and when.
    visits: &'static [(i64, Visit)],
    /// What goes wrong beside the deaths.
    trouble: Option<Trouble>,
    /// Which campaigns there are: those of this scenario. Of its faults there are none.
    scenario: Scenario,
    /// Who dies, and at requests to which service.
    pub dies: Dies,
}

/// Whether somebody dies at requests to a service.
pub type Dies = fn(Role, Service) -> bool;

/// Faults from one instant to another.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    from: i64,
    to: i64,
    faults: fn() -> Vec<Fault>,
}

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
        perform(self.plan(deaths))
    }

    /// Plays it without a death before somebody's eyes.
    ///
    /// # Errors
    /// [`Unbuilt`]
    pub fn show(&self, eyes: impl Watcher + 'static) -> Result<Outcome, Unbuilt> {
        perform_before(self.plan(&[]), Some(eyes))
    }

    fn plan(&self, deaths: &[Point]) -> Plan {
        let at = |seconds: i64| START + SignedDuration::from_secs(seconds);
        let conduct = Conduct { deaths: deaths.to_vec(), concurrency: Some(2), ..Conduct::smooth() };
        let calls = (1..).zip(self.calls).map(|(number, (seconds, person, what))| Planned {
            number,
            at: at(*seconds),
            person: *person,
            what: what.clone(),
            twice: false,
        });
        let phases = self.trouble.map(|Trouble { from, to, faults }| {
            let phase = |seconds, faults, is_calm| Phase { at: at(seconds), faults, conduct: conduct.clone(), is_calm };
            [phase(from, faults(), false), phase(to, Vec::new(), true)]
        });
        Plan {
            seed: 1,
            scenario: self.scenario,
            projects: PROJECTS + 1,
            waits: [self.waits; PROJECTS],
            calls: calls.collect(),
            phases: phases.into_iter().flatten().collect(),
            conduct,
            visits: self.visits.iter().map(|(seconds, visit)| (at(*seconds), *visit)).collect(),
        }
    }

    /// The points at which somebody may die after the `last` one, in a story whose requests these made.
    fn points(&self, asked: &[(Role, Service)], last: u64) -> Vec<Point> {
        let numbered =
            (1_u64..).zip(asked).filter(|(number, (role, service))| *number > last && (self.dies)(*role, *service));
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
