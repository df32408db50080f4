//! The clients of the projects: each person's calls one after the other, each made again until it is taken.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use dunlin_local::Door;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::house::{House, Unbuilt};
use crate::play::START;
use crate::sim::{Answered, Role, Sim};
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
    /// Visits under way at other doors; who gets no answer tries again.
    visits: BTreeMap<u64, (Role, Request<Bytes>)>,
    numbers: u64,
    /// The calls that were answered with 200.
    pub(crate) acknowledged: Vec<Planned>,
    /// The calls that were refused although nothing was wrong with them.
    pub(crate) refused: Vec<String>,
}

impl Clients {
    pub(crate) fn new(calls: Vec<Planned>, houses: Vec<House>, seed: u64) -> Self {
        let mut lines: BTreeMap<Person, VecDeque<Planned>> = BTreeMap::new();
        for call in calls {
            lines.entry(call.person).or_default().push_back(call);
        }
        let chance = StdRng::seed_from_u64(seed ^ 0xC11E);
        let (under_way, visits) = (BTreeMap::new(), BTreeMap::new());
        let (acknowledged, refused) = (Vec::new(), Vec::new());
        Self { houses, chance, lines, under_way, visits, numbers: 0, acknowledged, refused }
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

    /// An operator publishes a campaign; later a recipient unsubscribes by the link in a mail.
    pub(crate) async fn visit(&mut self, sim: &mut Sim) -> Result<(), Unbuilt> {
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
    pub(crate) async fn until(&mut self, sim: &mut Sim, until: Timestamp) -> Result<(), Unbuilt> {
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
