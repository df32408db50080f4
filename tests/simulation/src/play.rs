//! One story: what a seed makes of a scenario, and what the judge says of it.

use std::collections::BTreeMap;

use dunlin_core::delivery::Delivery;
use dunlin_local::{CloudError, Function, Service};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::baskets;
use crate::clients::Clients;
use crate::entries;
use crate::hopes;
use crate::house::{self, House, Unbuilt};
use crate::journeys;
use crate::judge::{Judge, Violation};
use crate::observed::Observer;
use crate::overload;
use crate::rest::Rest;
use crate::rounds;
use crate::scenario::{Phase, Scenario, phases, usual};
use crate::sim::{Conduct, Role, Sim, Watcher};
use crate::visits::Visit;
use crate::workload::{self, PROJECTS, Planned, Waits};

/// A Monday morning.
pub const START: Timestamp = Timestamp::constant(1_767_603_600, 0);
/// When nothing can be waiting any more: two waits of ten years, and one.
const END: SignedDuration = SignedDuration::from_hours(24 * 365 * 21 + 24 * 30);
/// Steps after which a story that does not come to rest is given up.
const RESTLESS: u64 = 400_000;
/// Requests that a call may cost at most where nothing goes wrong, and a mail, campaigns read anew each time (in a story
/// minutes lie between calls); docs/data-model.md counts what each is.
const CALL_REQUESTS: usize = 14;
/// See [`CALL_REQUESTS`].
const MAIL_REQUESTS: usize = 40;
/// What was played.
#[derive(Debug)]
pub struct Played {
    /// The seed.
    pub seed: u64,
    /// The scenario.
    pub scenario: Scenario,
    /// The projects.
    pub houses: Vec<House>,
    /// The waits of their welcome series.
    pub waits: Waits,
    /// The calls that clients wanted to make.
    pub offered: Vec<Planned>,
    /// The calls that were answered with 200.
    pub acknowledged: Vec<Planned>,
    /// The calls that were refused although nothing was wrong with them.
    pub refused: Vec<String>,
    /// When a fault struck a request for a table, or befell a `send`: what may leave the outcome of a mail unknown.
    pub faults: Vec<Timestamp>,
    /// From when to when faults may strike.
    pub troubles: Vec<(Timestamp, Timestamp)>,
    /// Whether environments die at requests that were told.
    pub has_deaths: bool,
    /// How far clocks may be apart, in milliseconds.
    pub skew_millis: i64,
}

impl Played {
    /// How far what two environments call the same instant may be apart.
    #[must_use]
    pub fn skew(&self) -> SignedDuration {
        SignedDuration::from_millis(2 * self.skew_millis)
    }

    /// Whether nothing goes wrong at all.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.scenario == Scenario::Healthy
    }
}

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The scenario.
    pub scenario: Scenario,
    /// What should not be; empty where every promise held.
    pub violations: Vec<Violation>,
    /// The hash of everything that happened.
    pub trace: String,
    /// Calls answered with 200.
    pub calls: u64,
    /// Calls that waited when an overload was over.
    pub waiting: u64,
    /// Mails that left.
    pub mails: u64,
    /// Mails whose outcome was unknown for a while, or for good.
    pub unknown: u64,
    /// Who made each request to AWS, and to which service, in their order.
    pub asked: Vec<(Role, Service)>,
    /// Faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
}

/// What is to be played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The scenario.
    pub scenario: Scenario,
    /// How many projects there are: [`PROJECTS`], or more, whose people only call.
    pub projects: usize,
    /// The waits of the welcome series.
    pub waits: Waits,
    /// The calls.
    pub calls: Vec<Planned>,
    /// How environments behave at first.
    pub conduct: Conduct,
    /// What goes wrong, and when.
    pub phases: Vec<Phase>,
    /// What operators and recipients do, and when, in order.
    pub visits: Vec<(Timestamp, Visit)>,
}

impl Plan {
    /// What a seed makes of a scenario.
    #[must_use]
    pub fn drawn(seed: u64, scenario: Scenario) -> Self {
        if scenario == Scenario::Overload {
            return overload::plan(seed);
        }
        let mut chance = StdRng::seed_from_u64(seed);
        let waits = workload::waits(&mut chance);
        let mut calls = workload::calls(START, chance.random_range(10..30), &mut chance);
        if scenario == Scenario::Journeys {
            journeys::begin(&mut calls);
            calls.extend(baskets::draw(START, &mut chance));
            calls.extend(hopes::draw(START, &mut chance));
            calls.extend(rounds::draw(START, &mut chance));
            calls.extend(entries::draw(START, &mut chance));
            calls.sort_by_key(|call| call.at);
        }
        let phases = phases(scenario, START, &waits, &mut chance);
        let conduct = usual(scenario, &mut chance);
        Self { seed, scenario, projects: PROJECTS, waits, calls, conduct, phases, visits: Vec::new() }
    }
}

/// Plays a seed, in this thread alone.
///
/// # Errors
/// [`Unbuilt`]: a fault of the simulation.
pub fn play(seed: u64, scenario: Scenario) -> Result<Outcome, Unbuilt> {
    perform(Plan::drawn(seed, scenario))
}

/// Plays a plan, in this thread alone.
///
/// # Errors
/// [`Unbuilt`]: a fault of the simulation.
pub fn perform(plan: Plan) -> Result<Outcome, Unbuilt> {
    perform_before(plan, None::<Observer>)
}

/// Plays a plan, in this thread alone, before somebody's eyes.
///
/// # Errors
/// [`Unbuilt`]: a fault of the simulation.
pub fn perform_before(plan: Plan, eyes: Option<impl Watcher + 'static>) -> Result<Outcome, Unbuilt> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Unbuilt::Cloud(CloudError::File(error)))?;
    runtime.block_on(story(plan, eyes))
}

async fn story(plan: Plan, eyes: Option<impl Watcher + 'static>) -> Result<Outcome, Unbuilt> {
    let Plan { seed, scenario, projects, waits, calls, conduct, phases, visits } = plan;
    let skews = phases.iter().map(|phase| phase.conduct.skew_millis).chain([conduct.skew_millis]);
    let skew_millis = skews.max().unwrap_or(0);
    let has_deaths = !conduct.deaths.is_empty();
    let mut sim = Sim::new(START, house::settings()?, conduct, seed)?;
    sim.most_steps = RESTLESS;
    let mut houses = Vec::new();
    for project in 0..projects {
        let mut campaigns = workload::campaigns(waits.get(project).copied().unwrap_or([1, 1]));
        // Where nobody calls, they would cost and do nothing.
        if scenario == Scenario::Journeys && calls.iter().any(|call| call.person.project == project) {
            campaigns.extend(journeys::campaigns());
        }
        houses.push(house::build(sim.cloud(), sim.settings(), &format!("project-{project}"), &campaigns).await?);
    }
    let observer = Observer::new(&sim.settings().prefix);
    sim.watch(observer.clone());
    if let Some(eyes) = eyes {
        sim.watch(eyes);
    }
    let ends = phases.iter().skip(1).map(|phase| phase.at);
    let troubles = phases.iter().zip(ends).filter(|(phase, _)| !phase.is_calm).map(|(phase, end)| (phase.at, end));
    let troubles = troubles.collect();
    let mut clients = Clients::new(calls.clone(), visits, houses.clone(), seed);
    clients.begin(&mut sim)?;
    for Phase { at, faults, conduct, .. } in phases {
        clients.until(&mut sim, at).await?;
        sim.cloud().faults().set(faults);
        sim.conduct = conduct;
    }
    sim.conduct = Conduct { kill: 0.0, freeze: 0.0, drag: 0.0, ..sim.conduct.clone() };
    clients.until(&mut sim, START + END).await?;
    let Clients { acknowledged, refused, .. } = clients;
    let (faults, befallen) = (sim.cloud().faults().injected(), sim.befallen());
    let faults = faults.iter().filter(|one| one.service == Service::DynamoDb).map(|one| one.at);
    let befallen = befallen.iter().filter(|one| one.role == Role::Function(Function::Send)).map(|one| one.at);
    let faults = faults.chain(befallen).collect();
    let played = Played {
        seed,
        scenario,
        houses,
        waits,
        offered: calls,
        acknowledged,
        refused,
        faults,
        troubles,
        has_deaths,
        skew_millis,
    };
    let rest = Rest::read(&sim, &played.houses).await?;
    let mut outcome = summed(&sim, &played, &rest);
    outcome.violations = Judge::judge(&played, &observer.seen(), &rest);
    outcome.waiting = u64::try_from(overload::waiting(&played, &observer.seen())).unwrap_or(u64::MAX);
    outcome.violations.extend(restless(&sim, &played, &rest));
    Ok(outcome)
}

/// What there is to tell of a story, before it is judged.
fn summed(sim: &Sim, played: &Played, rest: &Rest) -> Outcome {
    let injected = sim.cloud().faults().injected();
    let befallen = sim.befallen().iter().map(|one| format!("{} {}", one.role.name(), one.what));
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    for name in injected.iter().map(|one| format!("{:?}", one.kind)).chain(befallen) {
        *faults.entry(name).or_default() += 1;
    }
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let is_unknown = |one: &&Delivery| one.history.iter().any(|entry| entry.what == "outcome unknown");
    Outcome {
        seed: played.seed,
        scenario: played.scenario,
        violations: Vec::new(),
        trace: sim.trace(),
        calls: wide(played.acknowledged.len()),
        waiting: 0,
        mails: wide(rest.mails.len()),
        unknown: wide(rest.deliveries.values().filter(is_unknown).count()),
        asked: sim.asked().to_vec(),
        faults,
    }
}

/// What a story does too much of.
fn restless(sim: &Sim, played: &Played, rest: &Rest) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut broken = |rule, what| violations.push(Violation { rule, what });
    played.refused.iter().for_each(|refused| broken("a valid call is taken", refused.clone()));
    let budget = played.acknowledged.len() * CALL_REQUESTS + rest.mails.len() * MAIL_REQUESTS;
    let used = sim.asked().iter().filter(|(role, _)| *role != Role::Sweep).count();
    if played.is_healthy() && used > budget {
        broken("requests stay within budget", format!("{used} of {budget}"));
    }
    if sim.steps() >= RESTLESS {
        broken(
            "a story comes to rest",
            format!("{} steps, {} requests, at {}", sim.steps(), sim.requests(), sim.now()),
        );
    }
    violations
}
