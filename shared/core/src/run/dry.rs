//! A dry run: what a campaign would do for one person and one event, if nothing about the person changed on the way. It is
//! the run itself, without a queue or a row.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Advance, EndReason, Passed, Run, RunState, Transition, person_zone, start};
use crate::campaign::Campaign;
use crate::condition::{Decision, Facts};
use crate::event_name::EventName;
use crate::ids::ProjectId;
use crate::profile::Profile;
use crate::task::{Lane, TriggerEvent};
use crate::trigger::{Asking, Published};
use crate::wait::zone::{Found, Zone};

/// Moves at most: a loop that goes on longer is cut.
pub const MOVES: usize = 100;

/// What would happen.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The person's zone, and what was not understood of it.
    pub zone: Found,
    /// Whether the event enters the campaign.
    pub entry: Decision,
    /// The steps, each with its instant.
    pub stops: Vec<Stop>,
    /// How it ends; none where it was cut after [`MOVES`].
    pub end: Option<EndReason>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// When it is taken.
    pub at: Timestamp,
    /// The step, and what comes of it.
    pub passed: Passed,
    /// Of a step that sends: why the mail would not leave.
    pub held_back: Option<String>,
}

/// Plays an event of a person through a campaign, as of the event's own time.
#[must_use]
pub fn dry_run(
    campaign: Campaign,
    project: &ProjectId,
    profile: &Profile,
    event: &TriggerEvent,
    zone: &Zone,
) -> DryRun {
    let campaign = Arc::new(campaign);
    let published = Published { campaign: Arc::clone(&campaign), version: 1, published_at: event.at, paused: false };
    let facts = |now| Facts::new(profile, event, now);
    let entry = match campaign.trigger.event() {
        Some(asked) if *asked != event.name => Decision::Fail(another(asked, event)),
        _ => Asking { published: &published, event: event.clone() }.decide(event.at, profile),
    };
    let zone_found = person_zone(&facts(event.at), zone);
    let mut dry = DryRun { zone: zone_found, entry, stops: Vec::new(), end: None };
    if !dry.entry.passed() {
        return dry;
    }
    let (user, mut now) = (profile.id.clone(), event.at);
    let mut moved = start(&published, project.clone(), user, event.clone(), Lane::Triggered, &facts(now), zone);
    for _ in 0..MOVES {
        let Transition { run, passed, .. } = moved;
        dry.stops.extend(passed.into_iter().map(|passed| stop(&campaign, passed, &facts(now))));
        if let RunState::Ended { reason, .. } = run.state {
            dry.end = Some(reason);
            return dry;
        }
        now = run.due_at().unwrap_or(now);
        moved = match Run::advance(&run, &campaign, &facts(now), zone) {
            Advance::Moved(moved) => *moved,
            Advance::NotDue { .. } | Advance::Ended => return dry,
        };
    }
    dry
}

fn another(asked: &EventName, event: &TriggerEvent) -> crate::condition::Reason {
    crate::condition::Reason::new(&format!("the campaign asks for `{asked}`, and this is `{}`", event.name))
}

fn stop(campaign: &Campaign, passed: Passed, facts: &Facts<'_>) -> Stop {
    let held_back = campaign.sending(&passed.step).and_then(|sending| {
        if !campaign.ignores_unsubscribes() && !facts.profile.subscribed() {
            return Some("unsubscribed".to_owned());
        }
        match sending.decide(facts) {
            Decision::Pass if facts.profile.email().is_none() => Some("no address".to_owned()),
            Decision::Pass => None,
            Decision::Fail(why) => Some(why.as_str().to_owned()),
        }
    });
    Stop { at: facts.now, passed, held_back }
}

#[cfg(test)]
mod tests;
