//! Entries: campaigns that let people in by rules, by what becomes true of them, and at a date of theirs; and the model of who
//! enters. What a rule says to an event hangs on the runs that began before it, so rules are held against those.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::model::Mail;

/// The event that asks to enter by rules.
pub const JOINED: &str = "Joined";
/// The campaign that a date starts.
pub const RENEWAL: &str = "cmp_renewal";
/// Keys under which people join.
const KEYS: u64 = 2;
/// How long after an entry [`Rule::Hourly`] lets a person in again.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Entries in a day that [`Rule::TwiceADay`] allows: stories take their calls within one.
pub const A_DAY: usize = 2;
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
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Once, Self::OncePerKey, Self::Hourly, Self::OneAtATime, Self::TwiceADay];

    /// The campaign that has it.
    #[must_use]
    pub const fn campaign(self) -> &'static str {
        match self {
            Self::Once => "cmp_once",
            Self::OncePerKey => "cmp_keyed",
            Self::Hourly => "cmp_hourly",
            Self::OneAtATime => "cmp_single",
            Self::TwiceADay => "cmp_twice",
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
    ruled.into_iter().chain(crossed).chain([renewal]).collect()
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
