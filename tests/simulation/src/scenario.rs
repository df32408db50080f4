//! Scenarios: which faults there are, how often, and when.

use dunlin_aws::resources;
use dunlin_core::ids::ProjectId;
use dunlin_local::{Fault, FaultKind as Kind, Service, When};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::sim::Conduct;
use crate::workload::{PROJECTS, Waits};

/// A mix of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// None.
    Healthy,
    /// Those of queues.
    Queues,
    /// Those of tables.
    Tables,
    /// Those of handlers and their environments.
    Handlers,
    /// Those of SES and of what it reports.
    Mail,
    /// Services that are away for minutes to hours.
    Outage,
    /// All of them.
    Everything,
    /// All of them, while people go through [`crate::journeys`], too.
    Journeys,
    /// Far more calls than the readers can take ([`crate::overload`]).
    Overload,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 9] = [
        Self::Healthy,
        Self::Queues,
        Self::Tables,
        Self::Handlers,
        Self::Mail,
        Self::Outage,
        Self::Everything,
        Self::Overload,
        Self::Journeys,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Queues => "queues",
            Self::Tables => "tables",
            Self::Handlers => "handlers",
            Self::Mail => "mail",
            Self::Outage => "outage",
            Self::Everything => "everything",
            Self::Overload => "overload",
            Self::Journeys => "journeys",
        }
    }

    /// The scenario of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The scenario that a seed plays, where nobody asks for another: of fourteen, three have everything, four everything
    /// and journeys, and the other scenarios one each.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let place = usize::try_from(seed % 14).unwrap_or(0);
        match place {
            11.. => Self::Everything,
            8.. => Self::Journeys,
            place => Self::ALL.get(place).copied().unwrap_or(Self::Healthy),
        }
    }

    fn has(self, part: Self) -> bool {
        self == part || matches!(self, Self::Everything | Self::Journeys)
    }

    /// The faults of one stretch of trouble, drawn anew: some of those that the scenario has, at some strength.
    fn trouble(self, chance: &mut StdRng) -> (Vec<Fault>, Conduct) {
        let mut faults = Vec::new();
        if self.has(Self::Queues) {
            faults.extend(some(chance, &queues()));
        }
        if self.has(Self::Tables) {
            faults.extend(some(chance, &tables()));
            faults.extend(hot(chance));
        }
        if self.has(Self::Mail) {
            faults.extend(some(chance, &mail()));
        }
        let mut conduct = usual(self, chance);
        if self.has(Self::Handlers) {
            let mut one = || if chance.random_bool(0.6) { chance.random_range(0.02..0.25) } else { 0.0 };
            (conduct.kill, conduct.freeze, conduct.drag) = (one(), one() / 2.0, one() / 2.0);
        }
        if self.has(Self::Outage) && chance.random_bool(0.5) {
            faults.extend(away(chance));
        }
        (faults, conduct)
    }
}

/// How environments behave while nothing befalls them.
#[must_use]
pub fn usual(scenario: Scenario, chance: &mut StdRng) -> Conduct {
    let skew_millis = if scenario == Scenario::Healthy { 0 } else { chance.random_range(0..=2_000) };
    let batch = chance.random_range(1..=10);
    Conduct { concurrency: Some(chance.random_range(1..=4)), batch, skew_millis, ..Conduct::smooth() }
}

/// Some of these, each at a chance of its own: rare ones try the single case, frequent ones the crowd.
fn some(chance: &mut StdRng, kinds: &[(Kind, Option<Service>, Option<&str>)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (kind, service, operation) in kinds {
        if !chance.random_bool(0.45) {
            continue;
        }
        let strength = [0.01, 0.05, 0.15, 0.4].get(chance.random_range(0..4)).copied().unwrap_or(0.05);
        let mut fault = Fault::new(*kind, When::Chance(strength));
        fault.service = *service;
        fault.operation = operation.map(str::to_owned);
        faults.push(fault);
    }
    faults
}

type Catalogue = Vec<(Kind, Option<Service>, Option<&'static str>)>;

fn queues() -> Catalogue {
    let kinds = [
        Kind::DuplicateDelivery,
        Kind::DuplicateAfterDelete,
        Kind::Reorder,
        Kind::AnyGroup,
        Kind::LostReceive,
        Kind::LostDelete,
        Kind::PartialBatch,
        Kind::DelayJitter,
    ];
    let mut all: Catalogue = kinds.into_iter().map(|kind| (kind, None, None)).collect();
    for service in [Service::SqsStandard, Service::SqsFifo] {
        let lost = [Kind::TimeoutApplied, Kind::TimeoutNotApplied, Kind::ServerError, Kind::Throttle];
        all.extend(lost.map(|kind| (kind, Some(service), Some("SendMessageBatch"))));
    }
    all
}

fn tables() -> Catalogue {
    let tables = Some(Service::DynamoDb);
    let kinds = [
        Kind::Throttle,
        Kind::TimeoutApplied,
        Kind::TimeoutNotApplied,
        Kind::ResetApplied,
        Kind::ServerError,
        Kind::StaleRead,
        Kind::TransactionConflict,
        Kind::Unprocessed,
        Kind::ShortPage,
    ];
    let mut all: Catalogue = kinds.into_iter().map(|kind| (kind, tables, None)).collect();
    all.extend(["PutItem", "TransactWriteItems"].map(|operation| (Kind::TimeoutApplied, tables, Some(operation))));
    all
}

fn mail() -> Catalogue {
    let kinds = [
        Kind::Throttle,
        Kind::ServerError,
        Kind::TimeoutApplied,
        Kind::TimeoutNotApplied,
        Kind::ResetApplied,
        Kind::ResetNotApplied,
        Kind::Unreachable,
        Kind::SendingPaused,
        Kind::LostFeedback,
        Kind::DuplicateFeedback,
        Kind::LateFeedback,
        Kind::ReorderedFeedback,
    ];
    kinds.into_iter().map(|kind| (kind, Some(Service::Ses), Some("SendEmail"))).collect()
}

/// A table, or a range of keys, that takes too much.
fn hot(chance: &mut StdRng) -> Option<Fault> {
    let table = resources::TABLES.get(chance.random_range(0..resources::TABLES.len()))?;
    let strength = When::Chance(chance.random_range(0.1..0.9));
    let fault = Fault::new(Kind::Throttle, strength).of_table(&format!("{}{}", resources::DEFAULT_PREFIX, table.name));
    let project = ProjectId::derive(&[&format!("project-{}", chance.random_range(0..PROJECTS))]);
    match chance.random_range(0..3) {
        0 => Some(fault),
        1 => Some(fault.of_keys(&format!("{project}#"))),
        _ => None,
    }
}

/// A service that does not answer at all.
fn away(chance: &mut StdRng) -> Vec<Fault> {
    let services = [Service::DynamoDb, Service::SqsStandard, Service::SqsFifo, Service::Ses, Service::S3];
    let service = services.get(chance.random_range(0..services.len())).copied().unwrap_or(Service::DynamoDb);
    let kinds = [Kind::Unreachable, Kind::TimeoutNotApplied, Kind::Throttle, Kind::ServerError];
    let kind = kinds.get(chance.random_range(0..kinds.len())).copied().unwrap_or(Kind::Unreachable);
    vec![Fault::new(kind, When::Chance(1.0)).at(service)]
}

/// How long trouble lasts: a minute as often as two hours.
fn lasting(chance: &mut StdRng) -> SignedDuration {
    let minutes = 2_f64.powf(chance.random_range(0.0..7.0));
    SignedDuration::try_from_secs_f64(minutes * 60.0).unwrap_or(SignedDuration::from_mins(1))
}

/// From an instant on, these faults.
#[derive(Clone, Debug)]
pub struct Phase {
    /// From when on.
    pub at: Timestamp,
    /// The faults; none where the trouble is over.
    pub faults: Vec<Fault>,
    /// How environments behave.
    pub conduct: Conduct,
    /// Whether nothing goes wrong from here.
    pub is_calm: bool,
}

/// The phases of a story: trouble while people are busy, and again around one of the waits' ends; quiet in between and
/// afterwards.
#[must_use]
pub fn phases(scenario: Scenario, start: Timestamp, waits: &Waits, chance: &mut StdRng) -> Vec<Phase> {
    let mut phases = Vec::new();
    if scenario == Scenario::Healthy {
        return phases;
    }
    let mut at = start + SignedDuration::from_secs(chance.random_range(0..600));
    let calm =
        |at, chance: &mut StdRng| Phase { at, faults: Vec::new(), conduct: usual(scenario, chance), is_calm: true };
    for _ in 0..chance.random_range(1..=3) {
        let (faults, conduct) = scenario.trouble(chance);
        phases.push(Phase { at, faults, conduct, is_calm: false });
        at += lasting(chance);
        phases.push(calm(at, chance));
        at += SignedDuration::from_secs(chance.random_range(0..1_800));
    }
    let long: Vec<i64> = waits.iter().flatten().copied().filter(|wait| *wait > 40_000).collect();
    if let Some(wait) = long.get(chance.random_range(0..long.len().max(1))) {
        let from = start + SignedDuration::from_secs(*wait - chance.random_range(0..1_200));
        if from > at {
            let (faults, conduct) = scenario.trouble(chance);
            phases.push(Phase { at: from, faults, conduct, is_calm: false });
            phases.push(calm(from + SignedDuration::from_secs(1_200) + lasting(chance), chance));
        }
    }
    phases
}
