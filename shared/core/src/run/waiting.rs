//! How a run waits: when its wait begins, when somebody looks at it before its end, and when it goes on.
//!
//! What a clock on the wall decides may change while a run waits: the person moves, a date is put off, a country changes
//! its rules. So such a wait is computed again at its end, and goes on if that is later by now. What may move by much, a
//! time of day or a date, is looked at a day before, too ([`EVE`]): only so can it end earlier. What becomes sooner after
//! that is not seen before the end (docs/waits.md).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PUNCTUAL, Run};
use crate::condition::Facts;
use crate::wait::zone::{self, Found, Misread, Zone};
use crate::wait::{Intent, NotADate, Start, Wait};

/// How long before its end a wait by the clock on the wall is looked at: the width of all zones, -12 to +14 hours, and an
/// hour of summer time. Waits shorter than twice that are not.
pub const EVE: SignedDuration = SignedDuration::from_hours(27);
/// The lateness that a wait without a length of its own makes good: a queue's ordinary lag.
const LAG: SignedDuration = SignedDuration::from_mins(6);

/// What a wait by the clock on the wall means, to compute its end again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// What the wait counts from.
    pub since: Timestamp,
    /// The clock on the wall at its end; none where the instant itself was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// When the run is to be looked at, before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

/// How a wait stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stands {
    /// It goes on until then.
    Until(Timestamp, Option<Meant>),
    /// It has been over since.
    Over(Timestamp),
    /// What it waits for is not a date.
    NotADate(NotADate),
}

/// The person's zone, and what of the profile was not understood.
pub(super) fn person_zone(facts: &Facts<'_>, project: &Zone) -> Found {
    zone::find(facts.profile.property("ianaTimezone"), facts.profile.property("timezone"), project)
}

impl Run {
    /// From when on a wait counts whose step was due at `due_at` and is taken now: a little lateness is made good.
    pub(super) fn punctual(wait: &Wait, now: Timestamp, due_at: Timestamp) -> Timestamp {
        let forgiven = wait.length().map_or(LAG, |length| PUNCTUAL.min(length / 10));
        due_at.max(lately(now, forgiven))
    }

    /// The wait that began at `since`, by what is true now.
    pub(super) fn from(&self, (name, wait): (&str, &Wait), facts: &Facts<'_>, zone: &Zone, since: Timestamp) -> Stands {
        let value = wait.property().and_then(|property| facts.value(property));
        let seed = [self.id.as_str(), name, &self.moves.to_string()];
        match wait.ends(&Start { at: since, zone, value: value.as_deref(), seed: &seed }) {
            Err(not) => Stands::NotADate(not),
            Ok(ends) if ends.at <= facts.now => Stands::Over(ends.at),
            Ok(ends) => {
                let is_date = wait.property().is_some();
                let meant = (is_date || ends.intent.is_some())
                    .then(|| Meant::of(since, ends.intent, is_date, ends.at, facts.now));
                Stands::Until(ends.at, meant)
            }
        }
    }

    /// How a wait that was to end at `due_at` stands by what is true now.
    pub(super) fn again(
        &self,
        step: (&str, &Wait),
        meant: &Meant,
        facts: &Facts<'_>,
        found: &Found,
        due_at: Timestamp,
    ) -> Stands {
        if step.1.property().is_some() {
            return self.from(step, facts, &found.zone, meant.counts_from(step.1, due_at));
        }
        let at = meant.intent.as_ref().map_or(due_at, |intent| intent.instant(found.of_person(), due_at));
        if at <= facts.now {
            // A window may be closed again by now: it is held for nobody who comes late.
            return match step.1 {
                Wait::Window(_) => self.from(step, facts, &found.zone, at.max(lately(facts.now, LAG))),
                _ => Stands::Over(at),
            };
        }
        Stands::Until(at, Some(Meant::of(meant.since, meant.intent.clone(), false, at, facts.now)))
    }
}

/// Why a wait is over that has been `over` since it began, for people to read: of a date in the past, the date itself.
pub(super) fn why_over(wait: &Wait, facts: &Facts<'_>, project: &Zone, over: Timestamp) -> String {
    match wait {
        Wait::Window(_) if over >= facts.now => "it is open".to_owned(),
        Wait::Until(_) if over >= facts.now => "it is past that".to_owned(),
        _ => format!("that was {}", was(wait, facts, project, over)),
    }
}

fn was(wait: &Wait, facts: &Facts<'_>, project: &Zone, over: Timestamp) -> Timestamp {
    let value = wait.property().and_then(|property| facts.value(property));
    let zone = person_zone(facts, project).zone;
    wait.was(&Start { at: over, zone: &zone, value: value.as_deref(), seed: &[] })
}

fn lately(now: Timestamp, lag: SignedDuration) -> Timestamp {
    now.checked_sub(lag).unwrap_or(Timestamp::MIN)
}

impl Meant {
    /// What a wait for a date counts from when its end, until now `due_at`, is computed again. Of what comes each year it is
    /// this time that is meant, wherever the person lives by now: never the one a year before.
    pub(super) fn counts_from(&self, wait: &Wait, due_at: Timestamp) -> Timestamp {
        if wait.is_yearly() { self.since.max(due_at - EVE) } else { self.since }
    }

    fn of(since: Timestamp, intent: Option<Intent>, is_date: bool, due_at: Timestamp, now: Timestamp) -> Self {
        let moves = is_date || intent.as_ref().is_some_and(|intent| intent.moves);
        let is_long = due_at.duration_since(now) > EVE * 2;
        Self { since, intent, look_at: (moves && is_long).then(|| due_at - EVE) }
    }
}

/// The codes of what was not understood, for a log.
#[must_use]
pub fn codes(misread: &[Misread]) -> String {
    misread.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
