//! Quotas: how an environment of `intake` sees a flood without asking anyone (`docs/adr/0009-fairness.md`).
//!
//! Each environment of Lambda takes one request at a time, so it sees a sample of all traffic. It counts each project's
//! calls over the last ten seconds. A project that makes up most of the sample, or would fill the environment by itself,
//! is a flood, if there is anyone whom it could disturb: its calls take the second lane. A project that takes all that an
//! environment can is refused.
//!
//! What is not seen hurts nobody: where an environment sees too few calls to judge by, it has time for all of them. And a
//! false alarm harms little: in the second lane every call is kept and evaluated, by readers of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::ProjectId;
use crate::limits;

/// Seconds of half a window: counts are over the present half and the one before it.
const HALF: i64 = limits::QUOTA_WINDOW.as_secs() / 2;

/// How many calls of one project are taken within a window of ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    soft: u64,
    hard: u64,
}

impl Quota {
    /// The quota as one environment of Lambda sees it.
    #[must_use]
    pub const fn of_environment() -> Self {
        Self { soft: limits::SOFT_CALLS, hard: limits::HARD_CALLS }
    }

    /// The quota of a process that stands for all environments.
    #[must_use]
    pub const fn of_process() -> Self {
        let Self { soft, hard } = Self::of_environment();
        Self { soft: soft * limits::ENVIRONMENTS, hard: hard * limits::ENVIRONMENTS }
    }
}

/// Where a project's calls go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Within its quota: the first lane.
    Within,
    /// Over its soft quota: the second lane.
    Over,
    /// Over its hard quota: refused.
    Beyond,
}

/// The traffic that one environment has seen lately.
#[derive(Clone, Debug)]
pub struct Traffic {
    quota: Quota,
    all: Window,
    projects: BTreeMap<ProjectId, Seen>,
}

/// What is known of a project.
#[derive(Clone, Debug, Default)]
struct Seen {
    window: Window,
    /// When it last was a flood, while it is in the second lane.
    flooded_at: Option<Timestamp>,
}

/// A count over the present half window and the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    half: i64,
    present: u64,
    before: u64,
}

impl Window {
    fn add(&mut self, calls: u64, half: i64) {
        // A clock that goes back counts into the half it has left.
        if half > self.half {
            self.before = if half == self.half + 1 { self.present } else { 0 };
            (self.half, self.present) = (half, 0);
        }
        self.present = self.present.saturating_add(calls);
    }

    fn take_back(&mut self, calls: u64) {
        self.present = self.present.saturating_sub(calls);
    }

    fn calls(self) -> u64 {
        self.present.saturating_add(self.before)
    }
}

impl Traffic {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new(quota: Quota) -> Self {
        Self { quota, all: Window { half: 0, present: 0, before: 0 }, projects: BTreeMap::new() }
    }

    /// Counts a request with so many calls of a project; says where they go, and whether that is another lane than its
    /// last calls took.
    pub fn take(&mut self, project: &ProjectId, calls: usize, now: Timestamp) -> (Standing, bool) {
        let half = now.as_second().div_euclid(HALF);
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.all.add(calls, half);
        let hard = self.quota.hard;
        let seen = self.seen(project, half);
        seen.window.add(calls, half);
        let (own, flooded_at) = (seen.window.calls(), seen.flooded_at);
        if own > hard {
            // What is refused is not taken: only the excess is refused, and who tries again is let in.
            seen.window.take_back(calls);
            self.all.take_back(calls);
            return (Standing::Beyond, false);
        }
        // Half of what led into the second lane keeps a project there, since order may loosen at each change.
        let weight = if flooded_at.is_some() { 2 } else { 1 };
        let flooded_at = if self.is_flood(project, own.saturating_mul(weight), half) {
            Some(now)
        } else {
            flooded_at.filter(|at| now.duration_since(*at) < limits::FLOOD_REST)
        };
        let before =
            self.projects.get_mut(project).and_then(|seen| std::mem::replace(&mut seen.flooded_at, flooded_at));
        let standing = if flooded_at.is_some() { Standing::Over } else { Standing::Within };
        (standing, flooded_at.is_some() != before.is_some())
    }

    /// Whether so many calls of a project are a flood: only where there is somebody whom it disturbs.
    fn is_flood(&self, project: &ProjectId, calls: u64, half: i64) -> bool {
        let is_most = calls >= limits::SHARE_CALLS && calls.saturating_mul(5) > self.all.calls().saturating_mul(4);
        (calls > self.quota.soft && self.neighbours(project, half) > 0)
            || (is_most && self.neighbours(project, half) >= limits::NEIGHBOURS)
    }

    /// Other projects seen within [`limits::FLOOD_REST`], as far as it matters how many.
    fn neighbours(&self, project: &ProjectId, half: i64) -> usize {
        let oldest = half - limits::FLOOD_REST.as_secs() / HALF;
        let others = self.projects.iter().filter(|(id, seen)| *id != project && seen.window.half >= oldest);
        others.take(limits::NEIGHBOURS).count()
    }

    /// What is known of a project; the idlest makes room for one that is new.
    fn seen(&mut self, project: &ProjectId, half: i64) -> &mut Seen {
        if !self.projects.contains_key(project) && self.projects.len() >= limits::QUOTA_PROJECTS {
            let idlest = self.projects.iter().min_by_key(|(_, seen)| seen.window.half).map(|(id, _)| id.clone());
            idlest.map(|id| self.projects.remove(&id));
        }
        let new = || Seen { window: Window { half, ..Window::default() }, flooded_at: None };
        self.projects.entry(project.clone()).or_insert_with(new)
    }
}

#[cfg(test)]
mod tests;
