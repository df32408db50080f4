//! Entries: campaigns that let people in by rules, by what becomes true of them, and at a date of theirs; and the model of who
//! enters. What a rule says to an event hangs on the runs that began before it, so rules are held against those.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::baskets;
use crate::hopes;
use crate::model::Mail;
use crate::workload::{Person, Planned, What, is_twice, numbered};

/// The event that asks to enter by rules.
pub const JOINED: &str = "Joined";
/// The campaign that a date starts.
pub const RENEWAL: &str = "cmp_renewal";
/// The campaign that a date starts each year.
pub const BIRTHDAY: &str = "cmp_birthday";
/// When everybody was born whose day is known: one that most years do not have.
pub const BORN: Date = date(1992, 2, 29);
/// Days after which a birthday that was known is unknown again: before the first, or behind one, two or three of them.
const KNOWN: [i64; 4] = [20, 100, 500, 900];
/// The first number of a call that is drawn here: above those of rounds.
const FIRST: u64 = 30_000;
/// Keys under which people join.
const KEYS: u64 = 2;
/// How long after an entry [`Rule::Hourly`] lets a person in again.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Entries in a day that [`Rule::TwiceADay`] allows: stories take their calls within one.
pub const A_DAY: usize = 2;
/// Entries that [`Rule::ThreeInAll`] allows of all people of a project together.
pub const IN_ALL: usize = 3;
/// Minutes for which a run of [`Rule::OneAtATime`] waits.
pub const STAYS: i64 = 30;

/// How often a person may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Once ever.
    Once,
    /// Once for each key.
    OncePerKey,
    /// Again after an hour.
    Hourly,
    /// One run at a time.
    OneAtATime,
    /// Twice within 24 hours.
    TwiceADay,
    /// So often that a project's people have entered three times together.
    ThreeInAll,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Once, Self::OncePerKey, Self::Hourly, Self::OneAtATime, Self::TwiceADay, Self::ThreeInAll];

    /// The campaign that has it.
    #[must_use]
    pub const fn campaign(self) -> &'static str {
        match self {
            Self::Once => "cmp_once",
            Self::OncePerKey => "cmp_keyed",
            Self::Hourly => "cmp_hourly",
            Self::OneAtATime => "cmp_single",
            Self::TwiceADay => "cmp_twice",
            Self::ThreeInAll => "cmp_three",
        }
    }

    /// The first word of its mail.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::OncePerKey => "keyed",
            Self::Hourly => "hourly",
            Self::OneAtATime => "single",
            Self::TwiceADay => "twice",
            Self::ThreeInAll => "three",
        }
    }

    /// Minutes between the entry and the mail.
    #[must_use]
    pub const fn minutes(self) -> i64 {
        match self {
            Self::OneAtATime => STAYS,
            _ => 1,
        }
    }

    const fn said(self) -> &'static str {
        match self {
            Self::Once => "{again: never}",
            Self::OncePerKey => "{again: never, key: event.key}",
            Self::Hourly => "{again: {after: 1 hour}}",
            Self::OneAtATime => "{again: when_over}",
            Self::TwiceADay => "{per_day: 2}",
            Self::ThreeInAll => "{total: 3}",
        }
    }
}

/// The campaigns as their files.
#[must_use]
pub fn campaigns() -> Vec<String> {
    let ruled = Rule::ALL.map(|rule| {
        format!(
            "{{id: {}, name: Ruled, kind: workflow, trigger: {{event: {JOINED}}}, entry: {},
              messages: {{m: {{subject: '{} {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
              steps: [{{wait: {} minutes}}, {{send: m}}]}}",
            rule.campaign(),
            rule.said(),
            rule.word(),
            rule.minutes(),
        )
    });
    let crossed = [(Mail::Vip, "enters"), (Mail::Unvip, "leaves")].map(|(mail, how)| {
        format!(
            "{{id: {}, name: Crossed, kind: behavioural, trigger: {{{how}: [{{tag: vip}}]}},
              message: {{subject: '{} - {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}}",
            mail.place().0,
            mail.word(),
        )
    });
    let renewal = format!(
        "{{id: {RENEWAL}, name: Renewal, kind: behavioural, trigger: {{date: user.renews, before: 1 day, at: '18:30'}},
          message: {{subject: 'renewal - {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}}"
    );
    let birthday = format!(
        "{{id: {BIRTHDAY}, name: Birthday, kind: behavioural, trigger: {{date: user.born, yearly: true, at: '9:00'}},
          message: {{subject: 'birthday - {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}}"
    );
    ruled.into_iter().chain(crossed).chain([renewal, birthday]).collect()
}

/// Draws somebody who joins again and again, events that are only to be remembered, and somebody whose birthday is known for
/// a while.
#[must_use]
pub fn draw(start: Timestamp, chance: &mut StdRng) -> Vec<Planned> {
    let people: Vec<Person> = Person::all().collect();
    let somebody = |chance: &mut StdRng| people.get(chance.random_range(0..people.len())).copied();
    let sometime = |chance: &mut StdRng| start + SignedDuration::from_millis(chance.random_range(90_000..14_400_000));
    let mut calls = Vec::new();
    if let Some(person) = somebody(chance) {
        for _ in 0..chance.random_range(2..7) {
            calls.push((sometime(chance), person, What::Track { event: JOINED }));
        }
        for _ in 0..chance.random_range(0..3) {
            let events = [JOINED, hopes::HOPED, hopes::SOUGHT, baskets::FILLED, baskets::PAID];
            let event = events.get(chance.random_range(0..events.len())).copied().unwrap_or(JOINED);
            calls.push((sometime(chance), person, What::Remember { event }));
        }
    }
    if let (Some(person), Some(days)) = (somebody(chance), KNOWN.get(chance.random_range(0..KNOWN.len()))) {
        calls.push((sometime(chance), person, What::Born { is_known: true }));
        let later = start + SignedDuration::from_hours(24 * days);
        calls.push((later, person, What::Born { is_known: false }));
    }
    numbered(FIRST, calls, |what| is_twice(what, chance))
}

/// The properties of [`JOINED`]: its number, and a key that it shares with others.
#[must_use]
pub fn data(number: u64) -> Value {
    json!({"n": number, "key": key(number)})
}

/// The key of the call with this number.
#[must_use]
pub fn key(number: u64) -> u64 {
    number / 3 % KEYS
}

/// When somebody who is identified with this plan renews: after every story's calls, and another date for each plan, so
/// that it moves while it is waited for.
#[must_use]
pub fn renews(plan: &str) -> Date {
    if plan == "free" { date(2026, 1, 13) } else { date(2026, 1, 20) }
}

/// An event that asked to enter: when it was accepted, from when to when it may have been taken, its key, and of the run
/// that it began whether and when it was over.
#[derive(Clone, Copy, Debug)]
pub struct Joined {
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When a queue had it.
    pub from: Timestamp,
    /// When it was done.
    pub to: Timestamp,
    /// The number of its call.
    pub number: u64,
    /// The end of its run, if it began one.
    pub run: Option<Timestamp>,
}

impl Rule {
    /// What is wrong with who entered and who did not. `skew` is how far clocks are apart.
    #[must_use]
    pub fn wrong(self, joined: &[Joined], skew: SignedDuration) -> Option<String> {
        let entered: Vec<&Joined> = joined.iter().filter(|one| one.run.is_some()).collect();
        for (place, one) in joined.iter().enumerate() {
            let others = joined.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other);
            let others: Vec<&Joined> =
                others.filter(|other| other.run.is_some() && self.concerns(one, other)).collect();
            // Those that may have been taken before it; those that surely were.
            let before = others.iter().filter(|other| other.from <= one.to + skew);
            let surely = others.iter().filter(|other| other.to <= one.from - skew);
            let right = match (self, one.run.is_some()) {
                (Self::Once | Self::OncePerKey, true) => others.is_empty(),
                (Self::Once | Self::OncePerKey, false) => before.count() > 0,
                (Self::Hourly, true) => others.iter().all(|other| apart(one, other) >= HOUR),
                (Self::Hourly, false) => before.clone().any(|other| one.accepted < other.accepted + HOUR),
                (Self::OneAtATime, true) => {
                    surely.clone().all(|other| other.run.is_some_and(|end| end <= one.to + skew))
                }
                (Self::OneAtATime, false) => {
                    before.clone().any(|other| other.run.is_some_and(|end| end >= one.from - skew))
                }
                (Self::TwiceADay, true) => entered.len() <= A_DAY,
                (Self::TwiceADay, false) => before.count() >= A_DAY,
                (Self::ThreeInAll, true) => entered.len() <= IN_ALL,
                (Self::ThreeInAll, false) => before.count() >= IN_ALL,
            };
            if !right {
                return Some(format!("{self:?}: {one:?} among {joined:?}"));
            }
        }
        None
    }

    /// Whether two events are about the same matter.
    fn concerns(self, one: &Joined, other: &Joined) -> bool {
        self != Self::OncePerKey || key(one.number) == key(other.number)
    }
}

fn apart(one: &Joined, other: &Joined) -> SignedDuration {
    one.accepted.duration_since(other.accepted).abs()
}
