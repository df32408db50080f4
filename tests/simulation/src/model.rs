//! The model: a plain description of what should be sent to whom and when, apart from the product's own code. It knows the
//! calls that were stored, when each can have counted at the earliest and must have counted at the latest, and nothing
//! of queues, runs or ledgers.

use std::collections::BTreeMap;

use dunlin_core::call::{Action, Call, Properties};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::baskets;
use crate::deeds;
use crate::entries::{self, Rule};
use crate::hopes;
use crate::journeys::{self, Zone};
use crate::observed::{Accepted, Seen};
use crate::rounds;
use crate::workload::{Person, Waits};

/// What is true of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// From when on they exist.
    pub since: Option<Timestamp>,
    /// Everything that happened up to here is erased.
    pub erased: Option<Timestamp>,
    /// Their plan.
    pub plan: Option<String>,
    /// Whether they take marketing mail.
    pub subscribed: bool,
    /// Whether they are tagged `vip`.
    pub vip: bool,
    /// Whether an address is known.
    pub has_address: bool,
    /// When they renew.
    pub renews: Option<Date>,
    /// When they were born.
    pub born: Option<Date>,
    /// The zone they live in; none is the project's.
    pub zone: Option<String>,
    /// When they last did what a quest is there to bring about.
    pub sought: Option<Timestamp>,
    /// What a step wrote down last.
    pub updated: Option<u64>,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
}

impl State {
    /// What is true once these calls, in any order, were taken: the later one wins, a delete erases what was before it.
    #[must_use]
    pub fn after<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Self {
        let mut calls: Vec<&Call> = calls.into_iter().collect();
        calls.sort_by_key(|call| (call.at, call.accepted_at));
        let mut state = Self { subscribed: true, ..Self::default() };
        calls.iter().for_each(|call| state.take(call));
        state
    }

    fn take(&mut self, call: &Call) {
        let text = |from: &Properties, name: &str| from.get(name).and_then(|text| text.as_str()).map(str::to_owned);
        let plan = |from: &Properties| text(from, "plan");
        match &call.action {
            Action::Identify { email, properties, .. } => {
                self.since.get_or_insert(call.at);
                self.plan = plan(properties).or_else(|| self.plan.take());
                self.zone = text(properties, "ianaTimezone").or_else(|| self.zone.take());
                let renews = properties.get("renews").and_then(|date| date.as_str()?.parse().ok());
                self.renews = renews.or(self.renews);
                self.has_address |= email.is_some();
                *self.events.entry("Identified".to_owned()).or_default() += 1;
            }
            Action::Track { name, email, properties, .. } => {
                self.since.get_or_insert(call.at);
                self.zone = text(properties, "ianaTimezone").or_else(|| self.zone.take());
                self.has_address |= email.is_some();
                if name.as_str() == hopes::GOAL {
                    self.sought = self.sought.max(Some(call.at));
                }
                *self.events.entry(name.as_str().to_owned()).or_default() += 1;
            }
            Action::Edit { changes } if self.since.is_some() => {
                self.plan = plan(changes).or_else(|| self.plan.take());
                self.updated = deeds::updated(&call.action).or(self.updated);
                self.born = match changes.get("born") {
                    Some(born) => born.as_str().and_then(|born| born.parse().ok()),
                    None => self.born,
                };
            }
            Action::Tags { add, remove } if self.since.is_some() => {
                let has = |tags: &[String]| tags.iter().any(|tag| tag == "vip");
                self.vip = has(add) || self.vip && !has(remove);
            }
            Action::Unsubscribe => self.subscribed = false,
            Action::Resubscribe => self.subscribed = true,
            Action::Delete => {
                *self = Self { erased: Some(call.at), subscribed: true, ..Self::default() };
            }
            Action::Edit { .. } | Action::Tags { .. } | Action::Reidentify { .. } | Action::Enter { .. } => {}
        }
    }

    /// Whether what happened then still counts.
    #[must_use]
    pub fn remembers(&self, at: Timestamp) -> bool {
        self.erased.is_none_or(|erased| erased < at) && self.since.is_some_and(|since| since <= at)
    }
}

/// One person's calls, in the order in which a queue had them.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// The calls. Of these, at any time, some first ones have been taken.
    pub calls: Vec<&'a Accepted>,
}

impl<'a> Story<'a> {
    /// The calls about one person.
    #[must_use]
    pub fn of(seen: &'a Seen, project: &str, person: Person) -> Self {
        let theirs = |one: &&Accepted| one.call.project.as_str() == project && one.call.user.as_str() == person.id();
        let mut calls: Vec<&Accepted> = seen.accepted.iter().filter(theirs).collect();
        calls.sort_by_key(|one| one.queued_at.unwrap_or(Timestamp::MAX));
        Self { calls }
    }

    /// Everything that may have been true of the person between two instants, the event at `index` having been taken.
    #[must_use]
    pub fn between(&self, index: usize, from: Timestamp, to: Timestamp) -> Vec<State> {
        let is_done = |one: &&Accepted| one.done_at.is_some_and(|at| at <= from);
        let surely = self.calls.iter().rposition(is_done).map_or(0, |last| last + 1).max(index + 1);
        let may = |one: &&Accepted| one.queued_at.is_some_and(|at| at <= to);
        let possibly = self.calls.iter().filter(|one| may(one)).count().max(surely);
        (surely..=possibly).map(|count| State::after(self.calls.iter().take(count).map(|one| &one.call))).collect()
    }

    /// The mail that a call asks for by what it makes true, or no longer true.
    #[must_use]
    pub fn crossing(&self, index: usize) -> Option<Mail> {
        let after = |count: usize| State::after(self.calls.iter().take(count).map(|one| &one.call));
        let (before, after, at) = (after(index), after(index + 1), self.calls.get(index)?.call.at);
        let holds = |state: &State| state.since.is_some() && state.vip;
        match (holds(&before), holds(&after)) {
            (false, true) if after.remembers(at) => Some(Mail::Vip),
            (true, false) if after.remembers(at) => Some(Mail::Unvip),
            _ => None,
        }
    }

    /// What is true once all of them were taken.
    #[must_use]
    pub fn end(&self) -> State {
        State::after(self.calls.iter().map(|one| &one.call))
    }
}

/// A mail that an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mail {
    /// The receipt for `Bought`: at once, always.
    Receipt,
    /// The offer for `Looked`: at once, to those on the free plan.
    Upgrade,
    /// The reminder for `Left cart`: after twenty minutes, unless they are tagged `vip`.
    Nudge,
    /// The first mail for `Signed up`, at once.
    WelcomeOne,
    /// The second, after the first wait.
    WelcomeTwo,
    /// The third, after the second wait, to those on the free plan by then.
    WelcomeThree,
    /// The red mail for `Rose`, at nine in the morning, to those who draw it, unless they are tagged `vip`.
    Red,
    /// The blue one, to the others.
    Blue,
    /// The mail for `Tried`, on the evening before a date.
    Trial,
    /// The thanks for `Filled`, once the same basket is `Paid`.
    Thanks,
    /// The other mail for `Filled`, when that has not happened for a while.
    Basket,
    /// The mail for `Echoed`, which a step has tracked: at once.
    Echo,
    /// The mail for `Begun` by a step of another campaign: at once.
    Begun,
    /// The mail for `Acted` once a server has answered well.
    Told,
    /// The other mail for `Acted`, when it has not.
    Untold,
    /// The mail for `Hoped`, once they are tagged `vip`.
    Hope,
    /// The mail for `Sought` after twenty minutes, unless they are tagged `vip`, have bought something, or unsubscribed.
    Quest,
    /// The mail for `Strolled`, by day and some hours later.
    Stroll,
    /// The mail for `Joined`, to whom a rule lets in.
    Ruled(Rule),
    /// The mail to who is tagged `vip`, at once.
    Vip,
    /// The mail to who is so no more, at once.
    Unvip,
    /// The mail on the evening before the date at which they renew.
    Renewal(Date),
    /// The mail on the birthday of a year.
    Birthday(i16),
    /// The mail for `Owed` in each round until they settle: at once, and after each hour.
    Round(u32),
    /// The letter for `Later`, after a second, always, where an operator has published its campaign.
    Letter,
}

impl Mail {
    /// The mails that a call asks for, each for itself: [`baskets::FILLED`] and [`deeds::ACTED`] ask for one of two,
    /// [`hopes::HOPED`] for one that hangs on what becomes true, and [`rounds::OWED`] for some.
    #[must_use]
    pub fn of(action: &Action) -> Vec<Self> {
        let event = match action {
            Action::Track { name, passive: false, .. } => name.as_str(),
            Action::Enter { campaign, .. } if campaign.as_str() == deeds::BEGUN => return vec![Self::Begun],
            _ => return vec![],
        };
        match event {
            "Bought" => vec![Self::Receipt],
            "Looked" => vec![Self::Upgrade],
            "Left cart" => vec![Self::Nudge],
            "Signed up" => vec![Self::WelcomeOne, Self::WelcomeTwo, Self::WelcomeThree],
            "Later" => vec![Self::Letter],
            deeds::ECHOED => vec![Self::Echo],
            journeys::EVENT => vec![Self::Red, Self::Blue],
            journeys::DATED => vec![Self::Trial],
            journeys::STROLLED => vec![Self::Stroll],
            hopes::SOUGHT => vec![Self::Quest],
            entries::JOINED => Rule::ALL.map(Self::Ruled).to_vec(),
            _ => vec![],
        }
    }

    /// The campaign's id, and the step where a campaign has several mails.
    #[must_use]
    pub const fn place(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Receipt => ("cmp_receipt", None),
            Self::Upgrade => ("cmp_upgrade", None),
            Self::Nudge => ("cmp_nudge", None),
            Self::WelcomeOne => ("cmp_welcome", Some("one")),
            Self::WelcomeTwo => ("cmp_welcome", Some("two")),
            Self::WelcomeThree => ("cmp_welcome", Some("three")),
            Self::Echo => (deeds::CAMPAIGN, None),
            Self::Letter => ("cmp_later", None),
            Self::Red => (journeys::CAMPAIGN, Some("red")),
            Self::Blue => (journeys::CAMPAIGN, Some("blue")),
            Self::Trial => (journeys::TRIAL, None),
            Self::Thanks => (baskets::CAMPAIGN, Some("thanks")),
            Self::Basket => (baskets::CAMPAIGN, Some("basket")),
            Self::Begun => (deeds::BEGUN, None),
            Self::Told => (deeds::DEEDS, Some("told")),
            Self::Untold => (deeds::DEEDS, Some("untold")),
            Self::Hope => (hopes::CAMPAIGN, None),
            Self::Quest => (hopes::QUEST, None),
            Self::Stroll => (journeys::STROLL, None),
            Self::Ruled(rule) => (rule.campaign(), None),
            Self::Vip => ("cmp_vip", None),
            Self::Unvip => ("cmp_unvip", None),
            Self::Renewal(_) => (entries::RENEWAL, None),
            Self::Birthday(_) => (entries::BIRTHDAY, None),
            Self::Round(_) => (rounds::CAMPAIGN, None),
        }
    }

    /// The first word of its subject.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Upgrade => "upgrade",
            Self::Nudge => "nudge",
            Self::WelcomeOne => "welcome-one",
            Self::WelcomeTwo => "welcome-two",
            Self::WelcomeThree => "welcome-three",
            Self::Echo => "echo",
            Self::Letter => "letter",
            Self::Red => "red",
            Self::Blue => "blue",
            Self::Trial => "trial",
            Self::Thanks => "thanks",
            Self::Basket => "basket",
            Self::Begun => "begun",
            Self::Told => "told",
            Self::Untold => "untold",
            Self::Hope => "hope",
            Self::Quest => "quest",
            Self::Stroll => "stroll",
            Self::Ruled(rule) => rule.word(),
            Self::Vip => "vip",
            Self::Unvip => "unvip",
            Self::Renewal(_) => "renewal",
            Self::Birthday(_) => "birthday",
            Self::Round(_) => "round",
        }
    }

    /// Whether it goes to who has unsubscribed, too.
    #[must_use]
    pub const fn is_transactional(self) -> bool {
        matches!(self, Self::Receipt | Self::Letter)
    }

    /// Whether nothing is waited for before it.
    const fn is_immediate(self) -> bool {
        matches!(
            self,
            Self::Receipt
                | Self::Upgrade
                | Self::WelcomeOne
                | Self::Echo
                | Self::Begun
                | Self::Vip
                | Self::Unvip
                | Self::Round(0)
        )
    }

    /// When it is due at the earliest, for an event of that time, where somebody of a project lived in a zone then and lives
    /// in one now.
    #[must_use]
    pub fn due(self, at: Timestamp, waits: &Waits, project: usize, then: Zone<'_>, now: Zone<'_>) -> Timestamp {
        let [first, second] = waits.get(project).copied().unwrap_or_default();
        at + SignedDuration::from_secs(match self {
            Self::Receipt | Self::Upgrade | Self::WelcomeOne | Self::Echo | Self::Begun => 0,
            Self::Thanks | Self::Hope | Self::Vip | Self::Unvip => 0,
            Self::Letter => 1,
            Self::Told | Self::Untold => deeds::PAUSE,
            Self::Nudge => 20 * 60,
            Self::Quest => hopes::WITHIN,
            Self::Ruled(rule) => rule.minutes() * 60,
            Self::Basket => baskets::LISTENS,
            Self::WelcomeTwo => first,
            Self::WelcomeThree => first + second,
            Self::Round(round) => return at + rounds::ROUND * i32::try_from(round).unwrap_or(i32::MAX),
            Self::Red | Self::Blue => return journeys::morning(then, now, at),
            Self::Trial => return journeys::trial(now),
            Self::Renewal(date) => return journeys::eve(now, date),
            Self::Birthday(year) => return journeys::birthday(now, entries::BORN, year),
            Self::Stroll => return journeys::strolls(now, at)[0],
        })
    }

    /// Whether it can come to a person of a project at all: some are drawn by lot.
    #[must_use]
    pub fn is_for(self, project: &str, person: Person) -> bool {
        !matches!(self, Self::Red | Self::Blue) || journeys::is_drawn(project, person, self == Self::Red)
    }

    /// Whether an event enters the campaign, where this is true of the person.
    #[must_use]
    pub fn enters(self, state: &State, at: Timestamp) -> bool {
        state.remembers(at) && (self != Self::Upgrade || state.plan.as_deref() == Some("free"))
    }

    /// Why a run ends before this mail is so much as decided, where this is true of the person once the wait is over.
    #[must_use]
    pub fn ends(self, state: &State, at: Timestamp) -> bool {
        let filtered = match self {
            Self::Quest => state.vip || !state.subscribed || state.sought >= Some(at),
            Self::WelcomeThree => state.plan.as_deref() != Some("free"),
            Self::Red | Self::Blue => state.vip,
            _ => false,
        };
        !self.is_immediate() && (!state.remembers(at) || filtered)
    }

    /// Why a mail is not sent, where this is true of the person when it is decided; none when it is.
    #[must_use]
    pub fn held_back(self, state: &State, at: Timestamp) -> Option<&'static str> {
        if !state.remembers(at) {
            Some("deleted")
        } else if !self.is_transactional() && !state.subscribed {
            Some("unsubscribed")
        } else if self == Self::Nudge && state.vip {
            Some("condition")
        } else if !state.has_address {
            Some("no_address")
        } else {
            None
        }
    }
}
