//! Campaigns that a date starts: for each person who has one, a run that is expected. When its date is there, it puts a
//! call on its way to enter the campaign, and is over; who enters, and which version they get, is decided then.

use jiff::Timestamp;
use serde_json::Value;

use super::steps::Passage;
use super::waiting::{Meant, Stands, person_zone, why_over};
use super::{Command, EndReason, Run, RunState, Transition};
use crate::call::{self, Call, Properties};
use crate::campaign::{Campaign, On};
use crate::condition::Facts;
use crate::event_name::EventName;
use crate::ids::{EventId, RunId, digest};
use crate::profile::Profile;
use crate::task::{Lane, TriggerEvent};
use crate::trigger::Published;
use crate::wait::zone::Zone;
use crate::wait::{DateWait, NotADate, NotDate, Wait};

/// What a date is known by: its value, and what the campaign makes of it.
#[must_use]
pub fn date_of(published: &Published, profile: &Profile) -> Option<String> {
    let On::Date(wait) = &published.campaign.trigger.on else { return None };
    let value = wait.date.find(|name| profile.property(name))?;
    // A campaign that was deleted and published again asks for it anew.
    let began = published.published_at.to_string();
    Some(digest(&[&began, &value.to_string(), &serde_json::to_string(wait).unwrap_or_default()]))
}

/// The run that waits for a person's date, from `now` on; none where the date is over, or none.
///
/// `zone` is the project's; `call` is the one that set the date, or the one with which the last date came.
#[must_use]
pub fn expect(
    published: &Published,
    profile: &Profile,
    zone: &Zone,
    call: &Call,
    now: Timestamp,
) -> Option<Transition> {
    let On::Date(wait) = &published.campaign.trigger.on else { return None };
    awaits(published, wait, profile, zone, call, now).ok()
}

/// The same, of a campaign that `wait` starts.
///
/// # Errors
/// Why nothing is waited for: what is there in place of a date, or the date that is over.
pub(super) fn awaits(
    published: &Published,
    wait: &DateWait,
    profile: &Profile,
    zone: &Zone,
    call: &Call,
    now: Timestamp,
) -> Result<Transition, String> {
    let missing = || NotADate { property: wait.date.to_string(), found: NotDate::Missing }.to_string();
    let value = wait.date.find(|name| profile.property(name)).ok_or_else(missing)?;
    let date = date_of(published, profile).ok_or_else(missing)?;
    let id = ["date", call.project.as_str(), published.campaign.id.as_str(), call.id.as_str()];
    let event = occasion(call.at, value);
    let run = Run {
        id: RunId::derive(&id),
        project: call.project.clone(),
        user: profile.id.clone(),
        campaign: published.campaign.id.clone(),
        version: published.version,
        event,
        lane: Lane::of(&published.campaign, false),
        started_at: now,
        moves: 0,
        state: RunState::Ended { at: now, reason: EndReason::Completed },
        journey: Properties::new(),
        heard: std::collections::BTreeMap::new(),
        answer: None,
        goal: None,
        last_commands: Vec::new(),
    };
    let event = run.event.clone();
    let facts = Facts::new(profile, &event, now);
    let (due_at, meant) = match run.stands_for(wait, &facts, zone, now) {
        Stands::Until(due_at, meant) => (due_at, meant),
        Stands::NotADate(not) => return Err(not.to_string()),
        Stands::Over(at) => {
            let why = why_over(&Wait::Date(wait.clone()), &facts, zone, at);
            return Err(format!("the date is over ({wait}): {why}"));
        }
    };
    let mut passage = Passage::default();
    passage.ask(true);
    Ok(run.expects(passage, due_at, date, meant))
}

fn occasion(at: Timestamp, value: &Value) -> TriggerEvent {
    let data = Properties::from_iter([("date".to_owned(), value.clone())]);
    TriggerEvent { id: EventId::derive(&["date"]), name: EventName::known("Date reached"), at, data }
}

impl Run {
    fn stands_for(&self, wait: &DateWait, facts: &Facts<'_>, zone: &Zone, since: Timestamp) -> Stands {
        self.from(("", &Wait::Date(wait.clone())), facts, &person_zone(facts, zone).zone, since)
    }

    fn expects(self, mut passage: Passage, due_at: Timestamp, date: String, meant: Option<Meant>) -> Transition {
        let state = RunState::Expected { due_at, date, meant: meant.map(Box::new) };
        let wake = super::state::wakes_at(&state).unwrap_or(due_at);
        passage.command(Command::Wake { due_at: wake, moves: self.moves });
        passage.stop(self, state)
    }

    /// The date of an expected run is there, or it is looked at on its eve. `campaign` is the newest version.
    pub(super) fn arrives(self, campaign: &Campaign, facts: &Facts<'_>, zone: &Zone) -> Transition {
        let RunState::Expected { date, meant, due_at } = self.state.clone() else {
            return Passage::default().over(self);
        };
        let ended = |run: Self, passage: Passage, reason| {
            let state = RunState::Ended { at: facts.now, reason };
            passage.stop(run, state)
        };
        let On::Date(wait) = &campaign.trigger.on else {
            return ended(self, Passage::default(), EndReason::Superseded);
        };
        if facts.profile.expected(&self.campaign) != Some(date.as_str()) {
            return ended(self, Passage::default(), EndReason::Superseded);
        }
        let since = meant.map_or(self.started_at, |meant| meant.counts_from(&Wait::Date(wait.clone()), due_at));
        match self.stands_for(wait, facts, zone, since) {
            Stands::Until(due_at, meant) => self.expects(Passage::default(), due_at, date, meant),
            Stands::NotADate(_) => ended(self, Passage::default(), EndReason::Superseded),
            Stands::Over(at) => {
                // By the person, the date and the day: however many runs expect it, it comes once.
                let (person, day) = (facts.profile.id.as_str(), at.to_string());
                let id = EventId::derive(&["date", self.project.as_str(), self.campaign.as_str(), person, &date, &day]);
                let (campaign, data) = (self.campaign.clone(), self.event.data.clone());
                // It happened at the date, however late we are: waits and `expire_after` count from that.
                let entry = call::Action::Enter { campaign, data, date: Some(at) };
                let call = Call { at, ..self.calling(id, facts, entry, 0) };
                let mut passage = Passage::default();
                passage.command(Command::Call { call: Box::new(call) });
                ended(self, passage, EndReason::Completed)
            }
        }
    }
}
