//! The judge: holds what happened against the model, at rest.

mod consent;
mod entering;
mod exits;
mod hoping;
mod passage;
mod rounds;
mod said;
mod time;
mod twice;

use std::collections::BTreeMap;

use dunlin_core::call::Action;
use dunlin_core::delivery::{Delivery, State as Ledger};
use dunlin_core::run::{Run, RunState};
use dunlin_local::Mail as Sent;
use jiff::{SignedDuration, Timestamp};

use crate::baskets;
use crate::deeds;
use crate::hopes;
use crate::model::{Mail, State, Story};
use crate::observed::{Accepted, Entry, Seen};
use crate::overload;
use crate::play::Played;
use crate::rest::Rest;
use crate::rounds::OWED;
use crate::scenario::Scenario;
use crate::workload::{PROJECTS, Person};
use said::{key, said};

/// How long after the last fault everything that was due before must be done: a freeze of an hour, SES's silence, a
/// visibility time-out, and SES's pause between tries.
const HEALED: SignedDuration = SignedDuration::from_mins(100);
/// The most a mail may be late once all is well (promise P6).
pub(crate) const LATE: SignedDuration = SignedDuration::from_secs(60);
/// How long one call may be the same as an earlier one (Track API).
const SAME: SignedDuration = SignedDuration::from_mins(5);

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise it breaks.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

/// Holds one story against the model.
pub struct Judge<'a> {
    played: &'a Played,
    seen: &'a Seen,
    rest: &'a Rest,
    violations: Vec<Violation>,
}

/// An event that asks for mails, and what is known of it.
struct Asked<'a> {
    person: Person,
    story: &'a Story<'a>,
    index: usize,
    event: &'a Accepted,
}

impl<'a> Judge<'a> {
    /// Everything that is wrong with a story.
    #[must_use]
    pub fn judge(played: &'a Played, seen: &'a Seen, rest: &'a Rest) -> Vec<Violation> {
        let mut judge = Self { played, seen, rest, violations: Vec::new() };
        judge.calls();
        judge.queues();
        let mut expected = 0;
        for (project, house) in played.houses.iter().enumerate().take(PROJECTS) {
            let people = Person::all().filter(|person| person.project == project);
            let stories: Vec<_> = people.map(|person| (person, Story::of(seen, house.id.as_str(), person))).collect();
            expected +=
                stories.iter().map(|(person, story)| judge.person(*person, story, house.id.as_str())).sum::<usize>();
            if played.scenario == Scenario::Journeys {
                judge.rules(&stories.iter().map(|(_, story)| story).collect::<Vec<_>>());
            }
        }
        judge.extras(expected);
        judge.violations.extend(passage::check(seen, played.is_healthy()));
        judge.violations.extend(overload::check(played, seen));
        judge.violations
    }

    /// What happened to one person; how many deliveries they should have.
    fn person(&mut self, person: Person, story: &Story<'_>, project: &str) -> usize {
        self.profile(person, story);
        if let Some(wrong) = deeds::wrong(story) {
            self.broken("what a step does is done once", format!("{person:?}: {wrong}"));
        }
        let mut expected = 0;
        for (index, event) in story.calls.iter().enumerate() {
            let asked = Asked { person, story, index, event };
            expected += match &event.call.action {
                Action::Track { passive: true, .. } => 0,
                Action::Track { name, .. } if name.as_str() == baskets::FILLED => self.exits(&asked),
                Action::Track { name, .. } if name.as_str() == hopes::HOPED => self.hope(&asked),
                Action::Track { name, .. } if name.as_str() == deeds::ACTED => self.told(&asked),
                Action::Track { name, .. } if name.as_str() == OWED => self.rounds(&asked),
                _ => 0,
            };
            for mail in Mail::of(&event.call.action).into_iter().filter(|mail| mail.is_for(project, person)) {
                expected += self.mail(&asked, mail);
            }
            if let Some(mail) = story.crossing(index).filter(|_| self.played.scenario == Scenario::Journeys) {
                expected += self.mail(&asked, mail);
            }
        }
        if self.played.scenario == Scenario::Journeys {
            expected += self.renewal(person, story) + self.birthdays(person, story);
        }
        expected
    }

    fn broken(&mut self, rule: &'static str, what: impl Into<String>) {
        self.violations.push(Violation { rule, what: what.into() });
    }

    /// Every answered 200 was stored; no event was stored twice.
    fn calls(&mut self) {
        let mut stored: BTreeMap<(Person, &'static str, Option<u64>), Vec<&Accepted>> = BTreeMap::new();
        for accepted in &self.seen.accepted {
            let project = self.played.houses.iter().position(|house| house.id == accepted.call.project);
            let place = accepted.call.user.as_str().strip_prefix("person-").and_then(|place| place.parse().ok());
            let (Some(project), Some(place)) = (project, place) else {
                self.broken("no call from nowhere", format!("{:?}", accepted.call));
                continue;
            };
            let (kind, number) = said(&accepted.call.action);
            stored.entry((Person { project, place }, kind, number)).or_default().push(accepted);
        }
        let mut acknowledged: BTreeMap<(Person, &'static str, Option<u64>), usize> = BTreeMap::new();
        for planned in &self.played.acknowledged {
            *acknowledged.entry(key(planned)).or_default() += 1;
        }
        for (key, count) in acknowledged {
            let there = stored.get(&key).map_or(0, Vec::len);
            let needed = if key.1 == "track" { 1 } else { count };
            if there < needed {
                self.broken("no answered 200 is lost", format!("{key:?}: {count} answered, {there} stored"));
            }
        }
        for (key, calls) in stored.iter().filter(|(key, _)| key.1 == "track") {
            // What is spilled, or held up by an `intake` that stands still, may reach the queue after it has forgotten the
            // first (docs/testing.md): within five minutes of each other the queue must know them.
            let times = calls.iter().filter_map(|one| one.queued_at);
            let near = |(first, last): (Timestamp, Timestamp)| last.duration_since(first) < SAME;
            if calls.len() > 1 && times.clone().min().zip(times.max()).is_some_and(near) {
                self.broken("an event repeated within five minutes is one event", format!("{key:?}: {}", calls.len()));
            }
        }
        for accepted in self.seen.accepted.iter().filter(|one| one.done_at.is_none()) {
            self.broken("what is stored is processed", format!("{} by {}", accepted.call.id, accepted.call.user));
        }
    }

    /// Nothing is left anywhere.
    fn queues(&mut self) {
        if let Some((at, what)) = &self.seen.missing {
            self.broken("accepted = processed + queued + spilled + parked", format!("at {at}: {what}"));
        }
        for left in &self.rest.left {
            self.broken("at rest nothing is left", left.clone());
        }
        for run in &self.rest.runs {
            if run.due_at().is_some() {
                self.broken("no run waits for ever", format!("{} of {}", run.id, run.user));
            }
        }
        for delivery in self.rest.deliveries.values() {
            if !matches!(delivery.state, Ledger::Sent { .. } | Ledger::NotSent { .. }) {
                self.broken("no claim stays stuck", format!("{}: {:?}", delivery.id, delivery.state));
            }
        }
    }

    fn profile(&mut self, person: Person, story: &Story<'_>) {
        let expected = story.end();
        let Some(found) = self.rest.profiles.get(&person) else { return };
        // What a delete that comes late leaves of counts depends on what is remembered (docs/data-model.md).
        let counts = expected.erased.is_none().then_some(&expected.events);
        let same = found.since.is_some() == expected.since.is_some()
            && found.subscribed == expected.subscribed
            && (expected.since.is_none()
                || (found.plan == expected.plan
                    && found.vip == expected.vip
                    && found.renews == expected.renews
                    && found.born == expected.born
                    && found.zone == expected.zone
                    && found.updated == expected.updated))
            && counts.is_none_or(|counts| *counts == found.events);
        if !same {
            self.broken("a profile is what its calls say", format!("{person:?}: {found:?}, expected {expected:?}"));
        }
    }

    /// One mail that an event asks for; how many deliveries it has.
    fn mail(&mut self, asked: &Asked<'_>, mail: Mail) -> usize {
        match self.delivery(asked, mail) {
            None => {
                self.nothing(asked, mail);
                0
            }
            Some(delivery) => {
                self.something(asked, mail, delivery);
                1
            }
        }
    }

    /// The delivery of a mail that an event asks for.
    fn delivery(&self, asked: &Asked<'_>, mail: Mail) -> Option<&'a Delivery> {
        let (campaign, step) = mail.place();
        self.rest.deliveries.values().find(|delivery| {
            delivery.trigger.0 == asked.event.call.id
                && delivery.campaign.as_str() == campaign
                && step.is_none_or(|step| delivery.step == step)
        })
    }

    /// The run that an event began in a campaign.
    fn run(&self, asked: &Asked<'_>, campaign: &str) -> Option<&'a Run> {
        self.rest.runs.iter().find(|run| run.event.id == asked.event.call.id && run.campaign.as_str() == campaign)
    }

    /// When a run was over that an event began, at the latest.
    fn ended(&self, asked: &Asked<'_>, run: &Run) -> Option<Timestamp> {
        match &run.state {
            // What ends as it begins does so at the event's time, by what is known when the event is taken.
            RunState::Ended { at, .. } if run.moves == 0 => {
                Some(asked.event.done_at.unwrap_or(Timestamp::MAX).max(*at + self.played.skew()))
            }
            RunState::Ended { at, .. } => Some(*at + self.played.skew()),
            RunState::Waiting { .. } | RunState::Placed { .. } | RunState::Expected { .. } => None,
        }
    }

    /// There is no delivery: the event did not enter, or the run ended before.
    fn nothing(&mut self, asked: &Asked<'_>, mail: Mail) {
        let (call, story) = (&asked.event.call, asked.story);
        let settled = asked.event.done_at.unwrap_or(Timestamp::MAX);
        let entering = story.between(asked.index, asked.event.queued_at.unwrap_or(call.at), settled);
        let (campaign, _) = mail.place();
        let run = self.run(asked, campaign);
        // Whether a rule was right is asked by itself.
        let is_refused = matches!(mail, Mail::Ruled(_)) && run.is_none();
        if is_refused || entering.iter().any(|state| !mail.enters(state, call.at)) {
            return;
        }
        let due = self.due(asked, mail, Timestamp::MAX);
        let ended = run.and_then(|run| self.ended(asked, run));
        let ending = ended.map(|ended| story.between(asked.index, due.min(ended) - self.played.skew(), ended));
        // Whoever is filtered before an earlier step gets none of the later ones.
        let before: &[Mail] = match mail {
            Mail::WelcomeThree => &[Mail::WelcomeTwo, Mail::WelcomeThree],
            _ => std::slice::from_ref(&mail),
        };
        let first = before.first().map_or(call.at, |mail| self.due(asked, *mail, Timestamp::MAX));
        let earlier = ended.map(|ended| story.between(asked.index, first.min(ended) - self.played.skew(), ended));
        let ends = ending
            .into_iter()
            .chain(earlier)
            .flatten()
            .any(|state| before.iter().any(|mail| mail.ends(&state, call.at)));
        if !ends {
            self.broken("every mail that is due is sent", format!("{mail:?} for {} of {:?}", call.id, asked.person));
        }
    }

    fn something(&mut self, asked: &Asked<'_>, mail: Mail, delivery: &Delivery) {
        let entries = self.seen.ledger.get(&delivery.id).map_or(&[][..], Vec::as_slice);
        let due = self.due(asked, mail, Timestamp::MAX);
        let of = |sent: &&Sent| sent.tags.iter().any(|(_, value)| value == delivery.id.as_str());
        let sent: Vec<&Sent> = self.rest.mails.iter().filter(of).collect();
        for one in &sent {
            self.content(asked, mail, one);
            self.earliness(asked, mail, one.at);
            let by = match mail {
                Mail::Thanks | Mail::Basket => self.exit_by(asked, mail),
                Mail::Hope => self.hoped_by(asked),
                Mail::Told | Mail::Untold => self.told_by(asked, mail),
                _ => self.due_by(asked, mail, one.at) + self.delay(asked, mail),
            };
            self.lateness(asked, mail, by, one.at);
        }
        self.times(mail, delivery, &sent);
        self.founded(asked, mail, delivery, due);
        let mut claims: Vec<&Entry> = entries.iter().filter(|entry| entry.is_claim).collect();
        // A request whose answer was lost is made again under the same token, which changes nothing where the first one did.
        claims.dedup_by_key(|claim| claim.delivery.state.clone());
        claims.into_iter().for_each(|claim| self.consent(asked, mail, claim));
        if let Ledger::NotSent { reason, .. } = &delivery.state {
            self.reason(asked, mail, delivery, reason, entries, due);
        }
    }

    /// A mail is for somebody who entered, and whose run was not over before.
    fn founded(&mut self, asked: &Asked<'_>, mail: Mail, delivery: &Delivery, due: Timestamp) {
        let call = &asked.event.call;
        let (from, to) = (asked.event.queued_at.unwrap_or(call.at), asked.event.done_at.unwrap_or(Timestamp::MAX));
        let decided = self.decided_at(delivery);
        let (story, skew) = (asked.story, self.played.skew());
        if let (Mail::Stroll, Some(decided)) = (mail, decided) {
            self.by_day(asked, decided);
        }
        let ending = story.between(asked.index, due - skew, decided.unwrap_or(Timestamp::MAX));
        if story.between(asked.index, from, to).iter().all(|state| !mail.enters(state, call.at)) {
            self.broken("who does not meet the conditions does not enter", format!("{mail:?} for {}", call.id));
        }
        if ending.iter().all(|state| mail.ends(state, call.at)) {
            self.broken("a run that is over mails nothing", format!("{mail:?} for {}", call.id));
        }
    }

    /// A mail goes to the right person, and says what was true.
    fn content(&mut self, asked: &Asked<'_>, mail: Mail, sent: &Sent) {
        let number = said(&asked.event.call.action).1.unwrap_or_default();
        let is_of_no_event = matches!(mail, Mail::Vip | Mail::Unvip | Mail::Renewal(_) | Mail::Birthday(_));
        if sent.to != [asked.person.email()] {
            self.broken("a mail goes to whom it is for", format!("{:?} for {:?}", sent.to, asked.person));
        }
        let from = asked.event.queued_at.unwrap_or(asked.event.call.at);
        let plans = asked.story.between(asked.index, from, sent.at);
        let numbers = match mail {
            Mail::Thanks => self.thanked(asked, sent.at).iter().map(|paid| format!("{number} {paid}")).collect(),
            Mail::Told => vec![format!("{number} {}", deeds::score(number))],
            _ if is_of_no_event => vec!["-".to_owned()],
            _ => vec![number.to_string()],
        };
        let is_said = |state: &State| {
            let plan = state.plan.as_deref().unwrap_or_default();
            numbers.iter().any(|number| format!("{} {number} {plan}", mail.word()).trim() == sent.subject.trim())
        };
        if !plans.iter().any(is_said) {
            self.broken("a mail says what was true", format!("{:?}: {}", asked.person, sent.subject));
        }
    }

    /// Nothing was sent that nobody asked for.
    fn extras(&mut self, expected: usize) {
        if self.rest.deliveries.len() != expected {
            let what = format!("{} deliveries, {expected} asked for", self.rest.deliveries.len());
            self.broken("no mail that nobody asked for", what);
        }
        for sent in &self.rest.mails {
            let known = |id: &String| self.rest.deliveries.keys().any(|known| known.as_str() == id);
            if !sent.tags.iter().any(|(_, value)| known(value)) {
                self.violations.push(Violation { rule: "every mail is in the ledger", what: sent.subject.clone() });
            }
        }
    }
}
