//! What is played: scenarios as they are, and some that are sharpened, where a fault shows too seldom to wait for it.

use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_simulation::baskets;
use dunlin_simulation::play::{Plan, START};
use dunlin_simulation::scenario::{Phase, Scenario};
use dunlin_simulation::sim::Conduct;
use dunlin_simulation::workload::{Person, Planned, What};
use jiff::SignedDuration;

/// What a seed is played in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Story {
    /// A scenario of the simulation.
    Of(Scenario),
    /// The ledger's table is hot, so that commits fail, and SES's own events are lost.
    HotLedger,
    /// SES is over its limits, and answers are lost.
    BusyMail,
    /// Pages of the tables are short.
    ShortPages,
    /// The standard queues are away for an hour around the end of the first waits.
    NoHints,
    /// Waits of a second, and messages come again that were done.
    ShortWaits,
    /// Everybody unsubscribes while mails to them are decided, and all is slow.
    Quarrel,
    /// Everybody pays for a basket while a run pauses on the way to where it listens again.
    Pauses,
    /// Everybody buys more often within minutes than a profile remembers, while writes to profiles are refused.
    Bargains,
}

impl Story {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Of(scenario) => scenario.name(),
            Self::HotLedger => "tables, a hot ledger and no word of SES",
            Self::BusyMail => "mail, a busy SES",
            Self::ShortPages => "tables, short pages",
            Self::NoHints => "outage of SQS around a wait's end",
            Self::ShortWaits => "queues, short waits",
            Self::Quarrel => "handlers, unsubscribes while mails are decided",
            Self::Pauses => "journeys, payments in a pause",
            Self::Bargains => "tables, frequent buyers",
        }
    }

    /// What a seed makes of it.
    pub(crate) fn plan(self, seed: u64) -> Plan {
        let hour = SignedDuration::from_hours(1);
        match self {
            Self::Of(scenario) => Plan::drawn(seed, scenario),
            Self::HotLedger => {
                let hot =
                    Fault::new(FaultKind::Throttle, When::Chance(0.7)).of_table("dunlin-deliveries").on("PutItem");
                let silent = Fault::new(FaultKind::LostFeedback, When::Chance(1.0)).at(Service::Ses);
                trouble(Plan::drawn(seed, Scenario::Tables), 5 * hour, vec![hot, silent])
            }
            Self::BusyMail => {
                let kinds = [FaultKind::Throttle, FaultKind::ResetApplied];
                let faults = kinds.map(|kind| Fault::new(kind, When::Chance(0.3)).at(Service::Ses));
                trouble(Plan::drawn(seed, Scenario::Mail), 5 * hour, faults.to_vec())
            }
            Self::ShortPages => {
                let short = Fault::new(FaultKind::ShortPage, When::Chance(0.4));
                trouble(Plan::drawn(seed, Scenario::Tables), 2 * hour, vec![short])
            }
            Self::NoHints => {
                let away = Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(Service::SqsStandard);
                trouble(Plan::drawn(seed, Scenario::Outage), hour, vec![away])
            }
            Self::ShortWaits => {
                let kept = Fault::new(FaultKind::LostDelete, When::Chance(0.5));
                let mut plan = trouble(Plan::drawn(seed, Scenario::Queues), 5 * hour, vec![kept]);
                plan.waits = [[1, 86_400]; 3];
                plan
            }
            Self::Quarrel => {
                let conduct = Conduct { drag: 0.5, ..Conduct::smooth() };
                let plan = Plan { calls: quarrels(), conduct, ..Plan::drawn(seed, Scenario::Handlers) };
                trouble(plan, 2 * hour, Vec::new())
            }
            Self::Pauses => {
                let plan =
                    Plan { calls: pauses(), conduct: Conduct::smooth(), ..Plan::drawn(seed, Scenario::Journeys) };
                trouble(plan, hour, Vec::new())
            }
            Self::Bargains => {
                let refused =
                    Fault::new(FaultKind::ServerError, When::Chance(0.3)).of_table("dunlin-profiles").on("PutItem");
                let plan =
                    Plan { calls: bargains(), conduct: Conduct::smooth(), ..Plan::drawn(seed, Scenario::Tables) };
                trouble(plan, hour, vec![refused])
            }
        }
    }
}

/// A plan with these faults, for a time from its second minute on, and no others.
fn trouble(plan: Plan, time: SignedDuration, faults: Vec<Fault>) -> Plan {
    let (at, conduct) = (START + SignedDuration::from_mins(2), plan.conduct.clone());
    let phases = vec![
        Phase { at, faults, conduct: conduct.clone(), is_calm: false },
        Phase { at: at + time, faults: Vec::new(), conduct, is_calm: true },
    ];
    Plan { phases, ..plan }
}

/// Everybody does again and again what asks for a mail, and unsubscribes seconds later.
fn quarrels() -> Vec<Planned> {
    let identified = Person::all().map(|person| (0, person, What::Identify { plan: "free" }));
    let rounds = (1..5).flat_map(|round| {
        Person::all().flat_map(move |person| {
            let at = round * 600_000;
            let later = i64::try_from(person.project * 3 + person.place).unwrap_or(0) * 800;
            [
                (at, person, What::Resubscribe),
                (at + 60_000, person, What::Track { event: "Looked" }),
                (at + 60_500 + later, person, What::Unsubscribe),
            ]
        })
    });
    planned(identified.chain(rounds))
}

/// Everybody fills a basket and pays for it two and a half minutes later; the numbers are two apart (`baskets::data`).
fn pauses() -> Vec<Planned> {
    let calls = [(60_000, baskets::FILLED), (70_000, "Looked"), (210_000, baskets::PAID)];
    planned(Person::all().flat_map(|person| calls.map(|(at, event)| (at, person, What::Track { event }))))
}

/// Everybody buys twenty times within three minutes.
fn bargains() -> Vec<Planned> {
    let buy = |number: i64| (120_000 + number * 9_000, What::Track { event: "Bought" });
    planned(Person::all().flat_map(|person| (0..20).map(buy).map(move |(at, what)| (at, person, what))))
}

/// Calls, in milliseconds after the beginning, each with a number.
fn planned(calls: impl Iterator<Item = (i64, Person, What)>) -> Vec<Planned> {
    let planned = (1..).zip(calls).map(|(number, (millis, person, what))| {
        let at = START + SignedDuration::from_millis(millis);
        Planned { number, at, person, what, twice: false }
    });
    planned.collect()
}
