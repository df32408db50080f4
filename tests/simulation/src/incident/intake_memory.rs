//! `intake_memory_2019`: API servers ran out of memory, and half of all calls got 502 or 504 for nearly an hour. Here: a
//! server of its own process over sockets, under bodies at and over the limit, gzip bombs, deep JSON, slow senders,
//! thousands of idle connections and a burst, while ordinary clients keep calling; then it is killed with SIGKILL, and what
//! it acknowledged must be there.
//!
//! In AWS one environment of `intake` takes one request at a time, behind a gateway that takes the whole body first: there
//! the bound is a body and what it unpacks to. This is the harder case: one process takes all of them.

#![expect(clippy::disallowed_methods, reason = "clients that wait, as Retry-After says, in real time")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dunlin_aws::profiles::Profiles;
use dunlin_aws::{Chance, Clock};
use dunlin_core::ids::{ProjectId, UserId};
use dunlin_core::limits::{BODY_BYTES, CALL_BYTES};
use dunlin_local::{Cloud, World};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use serde_json::json;

use super::process::{Answer, Connection, Server};
use super::stage::PREFIX;
use super::{Asked, Report};
use crate::house;

/// The most memory the server may ever hold, in MiB: 256 requests at once with what they unpack to, and 4,096
/// connections.
const MEMORY_MIB: u64 = 512;
/// Ordinary clients, one call after the other.
const CLIENTS: usize = 8;
/// Calls that they make, all together.
const CALLS: usize = 4_000;
/// How many times as many clients a burst is.
const BURST: usize = 50;
/// Calls of each client of a burst.
const BURST_CALLS: usize = 10;
/// Connections that say nothing.
const IDLE: usize = 6_000;
/// Clients that send a byte now and then.
const SLOW: usize = 400;
/// Clients that send what is too large, too deep, or much more than it looks.
const BAD: usize = 16;
/// Times an ordinary client tries one call.
const TRIES: usize = 200;
/// Unpacked bytes of a bomb.
const BOMB: usize = 300 * 1024 * 1024;
/// How long an ordinary client waits after an answer that it did not get.
const AGAIN: Duration = Duration::from_secs(1);
/// The pause between two bytes of a slow sender.
const DRIBBLE: Duration = Duration::from_millis(200);

const JSON: &str = "content-type: application/json\r\n";

/// How many of each.
struct Load {
    calls: usize,
    burst: usize,
    idle: usize,
    slow: usize,
    bad: usize,
}

impl Load {
    fn of(fraction: f64) -> Self {
        let part = |all: usize, least: usize| ((all as f64 * fraction).ceil() as usize).max(least);
        Self {
            calls: part(CALLS, 400),
            burst: part(CLIENTS * BURST, 64),
            idle: part(IDLE, 600),
            slow: part(SLOW, 252),
            bad: part(BAD, 4),
        }
    }
}

/// What ordinary clients were told.
#[derive(Debug, Default)]
struct Told {
    taken: AtomicUsize,
    refused: AtomicUsize,
    /// Neither 200 nor 429 or 503 with `Retry-After`.
    other: AtomicUsize,
    given_up: AtomicUsize,
    strange: Mutex<Vec<String>>,
    /// How many calls about each person were answered with 200.
    persons: Mutex<BTreeMap<String, u64>>,
}

impl Told {
    /// Notes an answer; how long to wait before the next try, or nothing when the call was taken.
    fn note(&self, person: &str, answer: &std::io::Result<Answer>) -> Option<Duration> {
        match answer {
            Ok(Answer { status: 200, .. }) => {
                self.taken.fetch_add(1, Ordering::Relaxed);
                *lock(&self.persons).entry(person.to_owned()).or_default() += 1;
                None
            }
            Ok(Answer { status: 429 | 503, retry_after: Some(seconds), .. }) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Some(Duration::from_secs(*seconds))
            }
            other => {
                self.other.fetch_add(1, Ordering::Relaxed);
                lock(&self.strange).push(format!("{other:?}"));
                Some(AGAIN)
            }
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays it.
pub(super) async fn play(asked: Asked) -> Report {
    let folder = std::env::temp_dir().join(format!("dunlin-intake-memory-{:016x}", Chance::system().next()));
    let server = Server::start(&asked.server, &folder);
    let (load, told) = (Load::of(asked.fraction), Told::default());
    besiege(&server, &load, &told);
    let peak = server.peak_mebibytes();
    let project = ProjectId::parse(&server.project).expect("a project");
    let survived = server.kill();
    let persons = std::mem::take(&mut *lock(&told.persons));
    let counted = counted(&folder, &project, asked.seed, &persons).await;
    drop(std::fs::remove_dir_all(&folder));

    let mut report = Report::default();
    let Load { calls, burst, idle, slow, bad } = load;
    report.tell(
        "a server process besieged over sockets",
        format!(
            "{idle} idle connections, {slow} slow senders, a burst of {burst} clients, {bad} with bombs and the like"
        ),
    );
    report.tell("in AWS", "one environment takes one request at a time; this is one process for all");
    report.promise("the server lives", if survived { "to its SIGKILL" } else { "ended by itself" }, survived);
    report.promise(
        format!("memory stays under {MEMORY_MIB} MiB"),
        peak.map_or("the system does not say".to_owned(), |peak| format!("{peak} MiB at most")),
        peak.is_none_or(|peak| peak < MEMORY_MIB),
    );
    let [taken, refused, other, given_up] =
        [&told.taken, &told.refused, &told.other, &told.given_up].map(|count| count.load(Ordering::Relaxed));
    let strange = told.strange.into_inner().unwrap_or_default();
    report.promise(
        "an ordinary call gets 200, or 429 or 503 with Retry-After",
        format!("{taken} times 200, {refused} refused, {other} else {:?}", strange.first()),
        other == 0,
    );
    report.promise(
        "who retries by itself ends with every event stored",
        format!("{given_up} of {calls} calls given up"),
        given_up == 0,
    );
    report.promise(
        "a 200 is never given for what is not durable; exactly once",
        format!("{calls} calls, {} events after SIGKILL, {} persons with another count", counted.events, counted.wrong),
        counted.wrong == 0,
    );
    report
}

/// Everything at once; returns when all ordinary calls are taken.
fn besiege(server: &Server, load: &Load, told: &Told) {
    let (port, over) = (server.port, AtomicBool::new(false));
    let deep = format!("{{\"data\":{}", "[".repeat(BODY_BYTES - 100));
    let large = format!("{{\"id\":\"{}\"}}", "x".repeat(BODY_BYTES + 1));
    let full = format!("{{\"id\":\"h\",\"data\":[{}0]}}", "0,".repeat((BODY_BYTES - 100) / 2));
    let heavy = json!({"auth_token": server.token, "id": "heavy", "data": {"note": "x".repeat(CALL_BYTES - 400)}});
    let bomb = gzip(&vec![b' '; BOMB]);
    let bad = [deep.into_bytes(), large.into_bytes(), full.into_bytes(), heavy.to_string().into_bytes(), bomb];
    std::thread::scope(|all| {
        let idle: Vec<_> = (0..load.idle).filter_map(|_| Connection::open(port).ok()).collect();
        all.spawn(|| slow_senders(port, load.slow, &over));
        for n in 0..load.bad {
            let (over, bad) = (&over, &bad);
            all.spawn(move || {
                for body in bad.iter().cycle().skip(n).take_while(|_| !over.load(Ordering::Relaxed)) {
                    drop(Connection::open(port).and_then(|mut to| to.post("/api/v2/users/track", JSON, body)));
                }
            });
        }
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| all.spawn(move || ordinary(server, client, load.calls / CLIENTS, told)))
            .collect();
        for client in 0..load.burst {
            all.spawn(move || burst(server, client, told));
        }
        clients.into_iter().for_each(|client| drop(client.join()));
        over.store(true, Ordering::Relaxed);
        drop(idle);
    });
}

/// How the ids of a burst's persons begin.
const BURSTING: &str = "burst";

fn event(server: &Server, person: &str, n: usize) -> Vec<u8> {
    let identity = json!({ "id": person });
    json!({"auth_token": server.token, "identity": identity, "event_name": "Bought", "data": {"n": n}})
        .to_string()
        .into()
}

/// An ordinary client: one call after the other, each until it is taken.
fn ordinary(server: &Server, client: usize, calls: usize, told: &Told) {
    let (mut to, person) = (None, format!("ordinary-{client}@example.com"));
    for n in 0..calls {
        let body = event(server, &person, n);
        let taken = (0..TRIES).any(|_| {
            let answer = ask(&mut to, server.port, &body);
            let wait = told.note(&person, &answer);
            wait.into_iter().for_each(std::thread::sleep);
            wait.is_none()
        });
        told.given_up.fetch_add(usize::from(!taken), Ordering::Relaxed);
    }
}

/// One call over a connection that stays open while it can.
fn ask(to: &mut Option<Connection>, port: u16, body: &[u8]) -> std::io::Result<Answer> {
    let mut connection = match to.take() {
        Some(connection) => connection,
        None => Connection::open(port)?,
    };
    let answer = connection.post("/api/v2/events/track", JSON, body)?;
    if !answer.closes {
        *to = Some(connection);
    }
    Ok(answer)
}

/// A client of the burst: valid calls, as fast as they go, and no second try.
fn burst(server: &Server, client: usize, told: &Told) {
    let (mut to, person) = (None, format!("{BURSTING}-{client}@example.com"));
    for n in 0..BURST_CALLS {
        let body = event(server, &person, n);
        // Not again, whatever the answer says.
        let _ = told.note(&person, &ask(&mut to, server.port, &body));
    }
}

/// Clients that announce a body and send it a byte at a time.
fn slow_senders(port: u16, count: usize, over: &AtomicBool) {
    let head = b"POST /api/v2/users/track HTTP/1.1\r\nhost: localhost\r\ncontent-length: 400000\r\n\r\n{";
    let mut all: Vec<Connection> = (0..count).filter_map(|_| Connection::open(port).ok()).collect();
    all.iter_mut().for_each(|to| drop(to.send(head)));
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(DRIBBLE);
        all.retain_mut(|to| to.send(b" ").is_ok());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).and_then(|()| packed.finish()).expect("in memory")
}

/// What is there after the kill.
struct Counted {
    events: u64,
    /// Persons whose events are not as many as they were told of.
    wrong: usize,
}

/// Opens the folder of a server that was killed, works off what is queued, and counts the events of each person.
async fn counted(folder: &Path, project: &ProjectId, seed: u64, persons: &BTreeMap<String, u64>) -> Counted {
    // Later than any message is hidden that the server was at.
    let clock = Clock::virtual_at(Clock::System.now() + SignedDuration::from_hours(1));
    let world =
        World::new(Cloud::open(folder, clock, seed).expect("its folder"), house::settings().expect("settings"), seed);
    world.advance(SignedDuration::from_mins(30)).await;
    let profiles = Profiles::new(world.clients(), PREFIX);
    let (mut events, mut wrong) = (0, 0);
    for (person, taken) in persons {
        let user = UserId::parse(person).expect("an id");
        let profile = profiles.get(project, &user).await.expect("a profile");
        let count: u64 = profile.state.events().map(|event| event.count).sum();
        events += count;
        // A client of the burst does not ask again: what it got no answer to may be there.
        let most = if person.starts_with(BURSTING) { BURST_CALLS as u64 } else { *taken };
        wrong += usize::from(!(*taken..=most).contains(&count));
    }
    Counted { events, wrong }
}
