//! One story: what a seed makes of a scenario, and what the judge says of it.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dunlin_local::{CloudError, Door};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::house::{self, House, Unbuilt};
use crate::judge::{Judge, Violation};
use crate::observed::Observer;
use crate::rest::Rest;
use crate::scenario::{Phase, Scenario, phases, usual};
use crate::sim::{Answered, Conduct, Role, Sim};
use crate::workload::{self, PROJECTS, Person, Planned, Waits};

/// A Monday morning.
pub const START: Timestamp = Timestamp::constant(1_767_603_600, 0);
/// When nothing can be waiting any more: two waits of ten years, and one.
const END: SignedDuration = SignedDuration::from_hours(24 * 365 * 21 + 24 * 30);
/// Steps after which a story that does not come to rest is given up.
const RESTLESS: u64 = 400_000;
/// Times a client makes a call before it gives up.
const TRIES: u64 = 12;
/// In place of the count of tries: the call was answered, and is made once more, whatever becomes of it.
const REPEATED: u64 = 0;

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
    /// The calls that were answered with 200.
    pub acknowledged: Vec<Planned>,
    /// The calls that were refused although nothing was wrong with them.
    pub refused: Vec<String>,
    /// When a fault struck.
    pub faults: Vec<Timestamp>,
    /// From when on nothing goes wrong any more.
    pub well_from: Timestamp,
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
    /// Mails that left.
    pub mails: u64,
    /// Mails whose outcome was unknown for a while, or for good.
    pub unknown: u64,
    /// Who made each request to AWS, in their order.
    pub asked: Vec<Role>,
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
    /// The waits of the welcome series.
    pub waits: Waits,
    /// The calls.
    pub calls: Vec<Planned>,
    /// How environments behave at first.
    pub conduct: Conduct,
    /// What goes wrong, and when.
    pub phases: Vec<Phase>,
    /// Whether an operator publishes a campaign, and the first recipient of a marketing mail follows its unsubscribe link.
    pub visits: bool,
}

impl Plan {
    /// What a seed makes of a scenario.
    #[must_use]
    pub fn drawn(seed: u64, scenario: Scenario) -> Self {
        let mut chance = StdRng::seed_from_u64(seed);
        let waits = workload::waits(&mut chance);
        let calls = workload::calls(START, chance.random_range(10..30), &mut chance);
        let phases = phases(scenario, START, &waits, &mut chance);
        let conduct = usual(scenario, &mut chance);
        Self { seed, scenario, waits, calls, conduct, phases, visits: false }
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
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Unbuilt::Cloud(CloudError::File(error)))?;
    runtime.block_on(story(plan))
}

async fn story(plan: Plan) -> Result<Outcome, Unbuilt> {
    let Plan { seed, scenario, waits, calls, conduct, phases, visits } = plan;
    let skews = phases.iter().map(|phase| phase.conduct.skew_millis).chain([conduct.skew_millis]);
    let skew_millis = skews.max().unwrap_or(0);
    let mut sim = Sim::new(START, house::settings()?, conduct, seed)?;
    sim.most_steps = RESTLESS;
    let mut houses = Vec::new();
    for (project, waits) in waits.iter().enumerate().take(PROJECTS) {
        let campaigns = workload::campaigns(*waits);
        houses.push(house::build(sim.cloud(), sim.settings(), &format!("project-{project}"), &campaigns).await?);
    }
    let observer = Observer::default();
    sim.watch(observer.clone());
    let well_from = phases.last().map_or(START, |last| last.at);
    let mut clients = Clients::new(calls, houses.clone(), seed);
    clients.begin(&mut sim)?;
    if visits {
        clients.visit(&mut sim).await?;
    }
    for Phase { at, faults, conduct } in phases {
        clients.until(&mut sim, at).await?;
        sim.cloud().faults().set(faults);
        sim.conduct = conduct;
    }
    sim.conduct = Conduct { kill: 0.0, freeze: 0.0, drag: 0.0, ..sim.conduct.clone() };
    clients.until(&mut sim, START + END).await?;
    let injected = sim.cloud().faults().injected();
    let faults = injected.iter().map(|one| one.at).chain(sim.befallen().iter().map(|one| one.at)).collect();
    let Clients { acknowledged, refused, .. } = clients;
    let played = Played { seed, scenario, houses, waits, acknowledged, refused, faults, well_from, skew_millis };
    let rest = Rest::read(&sim, &played.houses).await?;
    let seen = observer.seen();
    let mut violations = Judge::judge(&played, &seen, &rest);
    for refused in &played.refused {
        violations.push(Violation { rule: "a valid call is taken", what: refused.clone() });
    }
    if sim.steps() >= RESTLESS {
        let what = format!("{} steps, {} requests, at {}", sim.steps(), sim.requests(), sim.now());
        violations.push(Violation { rule: "a story comes to rest", what });
    }
    let mut struck: BTreeMap<String, u64> = BTreeMap::new();
    let befallen = sim.befallen().iter().map(|one| format!("{} {}", one.role.name(), one.what));
    for name in injected.iter().map(|one| format!("{:?}", one.kind)).chain(befallen) {
        *struck.entry(name).or_default() += 1;
    }
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let unknown =
        rest.deliveries.values().filter(|one| one.history.iter().any(|entry| entry.what == "outcome unknown"));
    Ok(Outcome {
        seed,
        scenario,
        violations,
        trace: sim.trace(),
        calls: wide(played.acknowledged.len()),
        mails: wide(rest.mails.len()),
        unknown: wide(unknown.count()),
        asked: sim.asked().to_vec(),
        faults: struck,
    })
}

/// The projects' clients: each person's calls one after the other, each until it is taken.
struct Clients {
    houses: Vec<House>,
    chance: StdRng,
    lines: BTreeMap<Person, VecDeque<Planned>>,
    /// Calls under way: which, and how often they were made.
    under_way: BTreeMap<u64, (Planned, u64)>,
    /// Visits under way at other doors; who gets no answer tries again.
    visits: BTreeMap<u64, (Role, Request<Bytes>)>,
    numbers: u64,
    acknowledged: Vec<Planned>,
    refused: Vec<String>,
}

impl Clients {
    fn new(calls: Vec<Planned>, houses: Vec<House>, seed: u64) -> Self {
        let mut lines: BTreeMap<Person, VecDeque<Planned>> = BTreeMap::new();
        for call in calls {
            lines.entry(call.person).or_default().push_back(call);
        }
        let chance = StdRng::seed_from_u64(seed ^ 0xC11E);
        let (under_way, visits) = (BTreeMap::new(), BTreeMap::new());
        let (acknowledged, refused) = (Vec::new(), Vec::new());
        Self { houses, chance, lines, under_way, visits, numbers: 0, acknowledged, refused }
    }

    fn begin(&mut self, sim: &mut Sim) -> Result<(), Unbuilt> {
        let people: Vec<Person> = self.lines.keys().copied().collect();
        people.into_iter().try_for_each(|person| self.go_on(sim, person))
    }

    /// The next call about a person.
    fn go_on(&mut self, sim: &mut Sim, person: Person) -> Result<(), Unbuilt> {
        let Some(planned) = self.lines.get_mut(&person).and_then(VecDeque::pop_front) else { return Ok(()) };
        let at = planned.at.max(sim.now() + SignedDuration::from_millis(1));
        self.make(sim, at, planned, 1)
    }

    fn make(&mut self, sim: &mut Sim, at: Timestamp, planned: Planned, tries: u64) -> Result<(), Unbuilt> {
        let Some(house) = self.houses.get(planned.person.project) else { return Ok(()) };
        self.numbers += 1;
        sim.call(at, self.numbers, Planned::door(), planned.request(house)?);
        self.under_way.insert(self.numbers, (planned, tries));
        Ok(())
    }

    /// An operator publishes a campaign; later a recipient unsubscribes by the link in a mail.
    async fn visit(&mut self, sim: &mut Sim) -> Result<(), Unbuilt> {
        if let Some(house) = self.houses.first() {
            let publishes = house.publishing("cmp_later", "Later")?;
            self.knock(sim, Role::Door(Door::Manage), publishes);
        }
        self.until(sim, START + SignedDuration::from_mins(5)).await?;
        let mails = sim.cloud().outbox().list(1, 0);
        let raw = mails.first().map(|mail| String::from_utf8_lossy(&mail.raw).into_owned()).unwrap_or_default();
        let raw = raw.replace("\r\n ", "").replace("\r\n\t", "");
        let link = raw.lines().find_map(|line| line.strip_prefix("List-Unsubscribe: <")?.split('>').next());
        if let Some(path) = link.and_then(|link| link.strip_prefix(sim.settings().public.as_str())) {
            let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
            let request = request.body("List-Unsubscribe=One-Click".into())?;
            self.knock(sim, Role::Door(Door::Link), request);
        }
        Ok(())
    }

    fn knock(&mut self, sim: &mut Sim, role: Role, request: Request<Bytes>) {
        self.numbers += 1;
        sim.call(sim.now() + SignedDuration::from_secs(1), self.numbers, role, request.clone());
        self.visits.insert(self.numbers, (role, request));
    }

    /// Lets time pass, and answers answers.
    async fn until(&mut self, sim: &mut Sim, until: Timestamp) -> Result<(), Unbuilt> {
        while let Some(answered) = sim.next(until).await {
            self.hear(sim, answered)?;
        }
        Ok(())
    }

    fn hear(&mut self, sim: &mut Sim, answered: Answered) -> Result<(), Unbuilt> {
        if let Some((role, request)) = self.visits.remove(&answered.number) {
            match answered.answer.status() {
                status if status.is_server_error() => self.knock(sim, role, request),
                status if status.is_success() => {}
                status => self.refused.push(format!("{status}: {}", request.uri())),
            }
            return Ok(());
        }
        let Some((planned, tries)) = self.under_way.remove(&answered.number) else { return Ok(()) };
        let status = answered.answer.status().as_u16();
        let person = planned.person;
        if tries == REPEATED {
            return Ok(());
        }
        if status == 200 {
            if planned.twice {
                let again = answered.at + SignedDuration::from_millis(self.chance.random_range(1..200_000));
                self.make(sim, again, planned.clone(), REPEATED)?;
            }
            self.acknowledged.push(planned);
            return self.go_on(sim, person);
        }
        if status != 429 && status < 500 {
            self.refused.push(format!("{status}: {planned:?}"));
            return self.go_on(sim, person);
        }
        if tries >= TRIES {
            return self.go_on(sim, person);
        }
        let pause = SignedDuration::from_secs(1_i64 << tries.min(6));
        self.make(sim, answered.at + pause, planned, tries + 1)
    }
}
