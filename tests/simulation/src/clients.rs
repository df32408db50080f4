//! The clients of the projects: each person's calls one after the other, each made again until it is taken.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::house::{House, Unbuilt};
use crate::sim::{Answered, Role, Sim};
use crate::visits::{self, Visit};
use crate::workload::{Person, Planned};

/// Times a client makes a call before it gives up.
const TRIES: u64 = 12;
/// In place of the count of tries: the call was answered, and is made once more, whatever becomes of it.
const REPEATED: u64 = 0;

/// The projects' clients: each person's calls one after the other, each until it is taken.
pub(crate) struct Clients {
    houses: Vec<House>,
    chance: StdRng,
    lines: BTreeMap<Person, VecDeque<Planned>>,
    /// Calls under way: which, and how often they were made.
    under_way: BTreeMap<u64, (Planned, u64)>,
    /// Visits to come, in their order.
    visits: VecDeque<(Timestamp, Visit)>,
    /// Visits under way at other doors, and how often each was made; who gets no answer tries again.
    visiting: BTreeMap<u64, (Role, Request<Bytes>, u64)>,
    /// The first of the parked tasks that an operator saw last.
    parked: String,
    numbers: u64,
    /// The calls that were answered with 200.
    pub(crate) acknowledged: Vec<Planned>,
    /// The calls that were refused although nothing was wrong with them.
    pub(crate) refused: Vec<String>,
}

impl Clients {
    pub(crate) fn new(calls: Vec<Planned>, visits: Vec<(Timestamp, Visit)>, houses: Vec<House>, seed: u64) -> Self {
        let mut lines: BTreeMap<Person, VecDeque<Planned>> = BTreeMap::new();
        for call in calls {
            lines.entry(call.person).or_default().push_back(call);
        }
        let chance = StdRng::seed_from_u64(seed ^ 0xC11E);
        let (under_way, visiting) = (BTreeMap::new(), BTreeMap::new());
        let (visits, parked, acknowledged, refused) = (visits.into(), String::new(), Vec::new(), Vec::new());
        Self { houses, chance, lines, under_way, visits, visiting, parked, numbers: 0, acknowledged, refused }
    }

    pub(crate) fn begin(&mut self, sim: &mut Sim) -> Result<(), Unbuilt> {
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

    /// Somebody visits, now.
    async fn visit(&mut self, sim: &mut Sim, visit: Visit) -> Result<(), Unbuilt> {
        if visit == Visit::Nonsense {
            return visits::nonsense(sim).await;
        }
        let Some(house) = self.houses.first() else { return Ok(()) };
        if visit == Visit::Webhook {
            return visits::webhook(sim, house).await;
        }
        if let Some((role, request)) = visits::request(visit, sim, house, &self.parked)? {
            self.knock(sim, role, request, 1);
        }
        Ok(())
    }

    fn knock(&mut self, sim: &mut Sim, role: Role, request: Request<Bytes>, tries: u64) {
        self.numbers += 1;
        sim.call(sim.now() + SignedDuration::from_secs(1), self.numbers, role, request.clone());
        self.visiting.insert(self.numbers, (role, request, tries));
    }

    /// Lets time pass, answers answers, and visits.
    pub(crate) async fn until(&mut self, sim: &mut Sim, until: Timestamp) -> Result<(), Unbuilt> {
        while let Some((at, visit)) = self.visits.front().copied().filter(|(at, _)| *at <= until) {
            self.visits.pop_front();
            self.wait(sim, at).await?;
            self.visit(sim, visit).await?;
        }
        self.wait(sim, until).await
    }

    async fn wait(&mut self, sim: &mut Sim, until: Timestamp) -> Result<(), Unbuilt> {
        while let Some(answered) = sim.next(until).await {
            self.hear(sim, answered)?;
        }
        Ok(())
    }

    fn hear(&mut self, sim: &mut Sim, answered: Answered) -> Result<(), Unbuilt> {
        if let Some((role, request, tries)) = self.visiting.remove(&answered.number) {
            self.parked = visits::listed(&answered.answer).unwrap_or_else(|| std::mem::take(&mut self.parked));
            match answered.answer.status() {
                status if status.is_server_error() => self.knock(sim, role, request, tries + 1),
                status if status.is_success() => {}
                // Who asks again may find it done.
                StatusCode::NOT_FOUND | StatusCode::CONFLICT if tries > 1 => {}
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
