//! Webhooks: what a receiver is asked, how often, and what the run hears of it. The receivers are real servers on this
//! machine, which functions reach only because these worlds say so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use dunlin_aws::queues::{Outgoing, Queue};
use dunlin_aws::resources::{HOOKS, STEPS};
use dunlin_aws::web::Way;
use dunlin_aws::{Clock, queues};
use dunlin_core::hook::{self, Answer, Reach};
use dunlin_core::ids::{ProjectId, RunId};
use dunlin_core::limits::{HOOK_ANSWER_BYTES, HOOK_TRIES};
use dunlin_core::task::{Hook, Step, VERSION, from_text};
use dunlin_local::{Cloud, Fault, FaultKind, Function, When, World};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a receiver was asked.
#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Value,
}

/// A receiver's answers, one after the other, the last one for ever: status, headers, body.
type Answers = Vec<(u16, Vec<(&'static str, String)>, Vec<u8>)>;

#[derive(Clone, Debug, Default)]
struct Receiver {
    url: String,
    answers: Arc<Mutex<Answers>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    async fn that_answers(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let receiver = Self { url, answers: Arc::new(Mutex::new(answers)), seen: Arc::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(receiver): State<Receiver>, request: Request) -> Response<axum::body::Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let seen = Seen { method: parts.method, path: parts.uri.path().to_owned(), headers: parts.headers, body };
    receiver.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    let mut answers = receiver.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, headers, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    let mut response = (StatusCode::from_u16(status).expect("a status"), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}

/// A world whose webhooks reach so far.
struct House {
    world: World,
    hooks: Queue,
}

impl House {
    fn that_reaches(reach: Reach) -> Self {
        let cloud = Cloud::in_memory(Clock::virtual_at(dunlin_tests::start()), 1).expect("a cloud");
        let world = World::reaching(Way::Network(reach), cloud, dunlin_tests::settings(), 1);
        let hooks = queues::Queue::new(&world.clients().sqs, world.settings().queue_url(HOOKS));
        Self { world, hooks }
    }

    async fn put(&self, hook: &Hook) {
        self.hooks.put(&[Outgoing::now(&hook.project, hook).expect("a task")]).await.expect("put");
    }

    fn now(&self) -> Timestamp {
        self.world.cloud().clock().now()
    }

    /// How many messages a queue holds, those held back too.
    fn depth(&self, queue: &str) -> u64 {
        self.world.cloud().sqs().depth(&format!("dunlin-{queue}")).total()
    }

    /// Calls once what is to be called now.
    async fn call(&self) -> usize {
        self.world.poll(Function::Hook).await
    }

    /// Goes on to the next try; how long that took.
    async fn wait(&self) -> SignedDuration {
        let (before, due) = (self.now(), self.world.cloud().next_due().expect("a later try"));
        self.world.cloud().clock().advance_to(due);
        assert_eq!(self.call().await, 1);
        due.duration_since(before)
    }

    /// What the run hears.
    fn heard(&self) -> Option<Answer> {
        let steps = self.world.queue_name(&STEPS);
        let message = self.world.cloud().sqs().receive(&steps, 1).pop()?;
        self.world.cloud().sqs().delete(&steps, &[message.receipt]);
        let step: Step = from_text(&message.body).expect("a step");
        assert_eq!((step.run, step.moves), (RunId::derive(&["a run"]), 3));
        step.answer.map(|answer| *answer)
    }
}

fn hook(url: &str) -> Hook {
    Hook {
        v: VERSION,
        project: ProjectId::derive(&["larkspur"]),
        run: RunId::derive(&["a run"]),
        moves: 3,
        request: hook::Request {
            id: "hook_1".to_owned(),
            method: hook::Method::Put,
            url: url.to_owned(),
            headers: BTreeMap::from([("X-Key".to_owned(), "secret".to_owned())]),
            body: Some(json!({"plan": "pro"})),
        },
        tries: 0,
        until: dunlin_tests::start() + SignedDuration::from_hours(24),
    }
}

fn plain(status: u16, body: &str) -> Answers {
    vec![(status, Vec::new(), body.into())]
}

#[tokio::test]
async fn a_receiver_is_asked_what_the_step_says_and_the_run_hears_its_answer() {
    let (house, receiver) =
        (House::that_reaches(Reach::Anywhere), Receiver::that_answers(plain(200, r#"{"id": 7}"#)).await);
    house.put(&hook(&format!("{}/orders?a=b", receiver.url))).await;
    assert_eq!(house.call().await, 1);
    let [seen] = &receiver.seen()[..] else { panic!("one request: {:?}", receiver.seen()) };
    assert_eq!((&seen.method, seen.path.as_str(), &seen.body), (&Method::PUT, "/orders", &json!({"plan": "pro"})));
    let second = house.now().as_second().to_string();
    for (name, value) in [
        ("x-key", "secret"),
        ("content-type", "application/json"),
        ("user-agent", "dunlin"),
        ("webhook-id", "hook_1"),
        ("webhook-timestamp", &second),
    ] {
        assert_eq!(seen.headers.get(name).and_then(|value| value.to_str().ok()), Some(value), "{name}");
    }
    let answer = house.heard().expect("an answer");
    assert_eq!(answer, Answer { status: Some(200), body: Some(json!({"id": 7})), error: None });
    assert_eq!((answer.is_good(), house.depth("hooks"), house.depth("steps")), (true, 0, 0));
}

#[tokio::test]
async fn an_answer_that_no_later_try_betters_is_the_runs_at_once() {
    let house = House::that_reaches(Reach::Anywhere);
    let elsewhere = Receiver::that_answers(plain(200, "private")).await;
    let moved = vec![(302, vec![("location", elsewhere.url.clone())], b"moved".to_vec())];
    for (answers, body, error) in [
        (plain(200, "hello"), Some(json!("hello")), None),
        (plain(204, ""), None, None),
        (plain(200, &"x".repeat(HOOK_ANSWER_BYTES + 1)), None, Some("too_long")),
        (plain(200, &"x".repeat(3_000_000)), None, Some("too_long")),
        (vec![(200, Vec::new(), vec![0xff, 0xfe])], None, Some("not_text")),
        (plain(400, r#"{"why": "plan"}"#), Some(json!({"why": "plan"})), Some("status")),
        (moved, Some(json!("moved")), Some("status")),
    ] {
        let receiver = Receiver::that_answers(answers).await;
        house.put(&hook(&receiver.url)).await;
        assert_eq!(house.call().await, 1);
        let answer = house.heard().expect("an answer");
        assert_eq!((&answer.body, answer.error.as_deref()), (&body, error));
        assert_eq!((receiver.seen().len(), house.depth("hooks")), (1, 0), "{answer:?}");
    }
    assert_eq!(elsewhere.seen().len(), 0, "no redirection is followed");
}

#[tokio::test]
async fn a_receiver_that_cannot_now_is_asked_again_later_under_the_same_id() {
    let mut answers = plain(503, "");
    answers.extend(plain(500, ""));
    answers.extend(plain(200, "well"));
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(answers).await);
    house.put(&hook(&receiver.url)).await;
    assert_eq!(house.call().await, 1);
    assert_eq!((house.call().await, house.heard(), house.depth("hooks")), (0, None, 1), "it waits");
    for most in [10, 20] {
        let waited = house.wait().await.as_secs();
        assert!((1..=most).contains(&waited), "{waited} s of {most}");
    }
    assert_eq!(house.heard().and_then(|answer| answer.body), Some(json!("well")));
    let header = |name: &str| receiver.seen().iter().map(|seen| seen.headers[name].clone()).collect::<Vec<_>>();
    assert_eq!(header("webhook-id"), ["hook_1"; 3]);
    let mut times = header("webhook-timestamp");
    times.dedup();
    assert_eq!((times.len(), house.depth("hooks")), (3, 0), "each try says its own time");
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_has_it() {
    let mut answers = vec![(429, vec![("retry-after", "300".to_owned())], Vec::new())];
    answers.extend(plain(200, ""));
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(answers).await);
    house.put(&hook(&receiver.url)).await;
    house.call().await;
    assert_eq!(house.wait().await, SignedDuration::from_secs(300));
    assert!(house.heard().is_some_and(|answer| answer.is_good()));
}

#[tokio::test]
async fn after_the_last_try_the_run_hears_why() {
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(plain(503, "no")).await);
    house.put(&hook(&receiver.url)).await;
    house.call().await;
    for _ in 1..HOOK_TRIES {
        assert_eq!(house.heard(), None);
        house.wait().await;
    }
    let answer = Answer { status: Some(503), body: Some(json!("no")), error: Some("status".to_owned()) };
    assert_eq!((house.heard(), house.depth("hooks")), (Some(answer), 0));
    assert_eq!(receiver.seen().len(), usize::try_from(HOOK_TRIES).expect("a number"));
}

#[tokio::test]
async fn nobody_is_asked_when_the_time_for_it_is_over() {
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(plain(503, "")).await);
    house.put(&Hook { until: house.now(), ..hook(&receiver.url) }).await;
    house.call().await;
    assert_eq!(house.heard().and_then(|answer| answer.status), Some(503), "there is no time for another try");
    house.put(&Hook { until: house.now() - SignedDuration::from_secs(1), ..hook(&receiver.url) }).await;
    house.call().await;
    assert_eq!(house.heard().and_then(|answer| answer.error).as_deref(), Some("expired"));
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_nobody_reaches_is_tried_again() {
    let house = House::that_reaches(Reach::Anywhere);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closed = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    house.put(&Hook { tries: HOOK_TRIES - 2, ..hook(&closed) }).await;
    house.call().await;
    assert_eq!(house.heard(), None);
    house.wait().await;
    assert_eq!(house.heard().and_then(|answer| answer.error).as_deref(), Some("unreachable"));
}

#[tokio::test]
async fn a_private_address_is_not_asked_where_only_the_web_may_be() {
    let (house, receiver) = (House::that_reaches(Reach::Public), Receiver::that_answers(plain(200, "private")).await);
    let port = receiver.url.rsplit(':').next().expect("a port");
    for (url, error) in [
        (receiver.url.clone(), "refused_address"),
        (format!("http://localhost:{port}"), "refused_address"),
        (format!("http://[::ffff:127.0.0.1]:{port}"), "refused_address"),
        (format!("http://2130706433:{port}"), "refused_address"),
        (format!("http://a:b@127.0.0.1:{port}"), "bad_request"),
        ("nowhere".to_owned(), "bad_request"),
    ] {
        house.put(&hook(&url)).await;
        house.call().await;
        assert_eq!(house.heard().and_then(|answer| answer.error).as_deref(), Some(error), "{url}");
    }
    let mut smuggled = hook("https://example.com/");
    smuggled.request.headers = BTreeMap::from([("Host".to_owned(), "127.0.0.1".to_owned())]);
    house.put(&smuggled).await;
    house.call().await;
    assert_eq!(house.heard().and_then(|answer| answer.error).as_deref(), Some("bad_request"));
    assert_eq!((receiver.seen().len(), house.depth("hooks")), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_at_once_and_its_batch_mates_are_done() {
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(plain(200, "")).await);
    let nonsense = json!({"v": 1, "project": "prj_larkspur", "nonsense": true}).to_string();
    house.hooks.put(&[Outgoing::text(None, &nonsense)]).await.expect("put");
    house.put(&hook(&receiver.url)).await;
    assert_eq!(house.call().await, 2);
    assert!(house.heard().is_some_and(|answer| answer.is_good()));
    assert_eq!((house.depth("hooks"), house.depth("hooks-dead"), house.depth("steps")), (0, 1, 0));
    let dead = house.world.cloud().sqs().receive("dunlin-hooks-dead", 1);
    assert_eq!(dead.first().map(|message| message.body.as_str()), Some(nonsense.as_str()));
}

#[tokio::test]
async fn while_our_own_queues_are_away_a_receiver_is_not_asked_for_each_attempt_to_say_so() {
    let (house, receiver) = (House::that_reaches(Reach::Anywhere), Receiver::that_answers(plain(200, "")).await);
    house.put(&hook(&receiver.url)).await;
    let away = Fault::new(FaultKind::Unreachable, When::Chance(1.0)).on("SendMessageBatch");
    house.world.cloud().faults().set(vec![away]);
    house.call().await;
    let attempts = house.world.cloud().faults().injected().len();
    assert!(attempts > 4, "the batch is held, and tries to hand the answer over: {attempts}");
    assert_eq!(receiver.seen().len(), 1);
    house.world.cloud().faults().clear();
    house.wait().await;
    assert!(house.heard().is_some_and(|answer| answer.is_good()));
    assert_eq!(receiver.seen().len(), 2, "at least once: what came back is asked again");
    assert_eq!(receiver.seen()[0].headers["webhook-id"], receiver.seen()[1].headers["webhook-id"]);
}

#[tokio::test]
async fn a_workflow_asks_a_receiver_once_and_goes_on_by_its_answer() {
    let receiver = Receiver::that_answers(vec![
        (503, vec![], b"later".to_vec()),
        (200, vec![], json!({"segment": "big"}).to_string().into_bytes()),
        (404, vec![], b"no".to_vec()),
    ])
    .await;
    let house = House::that_reaches(Reach::Anywhere);
    let stage = dunlin_tests::Stage::over(house.world.clone(), 1).await;
    // A public name; in this world it is the receiver's.
    let yaml = format!(
        "{{id: cmp_ask, name: Ask, kind: workflow, trigger: {{event: Went}},
          messages: {{big: {{subject: 'big {{{{ journey.crm.status }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
                     none: {{subject: 'none {{{{ journey.crm.error }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: 1 minute}},
            {{webhook: {{url: '{}/people/{{{{ user.id }}}}', body: {{n: '{{{{ event.n }}}}'}}}}, as: crm, failed: none}},
            {{branch: [{{when: [{{property: journey.crm.body.segment, equals: big}}], to: big}}]}},
            {{name: none, send: none, next: over}}, {{name: big, send: big}}, {{name: over, exit: over}}]}}",
        receiver.url
    );
    let campaign = dunlin_core::campaign::parse("x.yaml", &yaml, &BTreeMap::new()).expect("a campaign");
    // `check` refuses an address of this machine, as it should; what is tried here is what comes behind it.
    assert!(dunlin_core::campaign::check(&campaign).iter().any(dunlin_core::campaign::Problem::is_error));
    let control = dunlin_aws::control::Control::new(stage.world.clients(), "dunlin-");
    control.publish(&stage.project, &campaign, house.now()).await.expect("published");
    stage.pass(SignedDuration::from_secs(6)).await;
    for person in ["ann", "bob"] {
        stage.identify(person, json!({})).await;
        stage.track(person, "Went", json!({"n": 7})).await;
        stage.pass(SignedDuration::from_mins(5)).await;
    }
    assert_eq!(
        stage.sent(),
        [
            ("ann@example.com".to_owned(), "big 200".to_owned()),
            ("bob@example.com".to_owned(), "none status".to_owned())
        ]
    );
    let seen = receiver.seen();
    let asked: Vec<(&str, &Value)> = seen.iter().map(|seen| (seen.path.as_str(), &seen.body["n"])).collect();
    assert_eq!(asked, [("/people/ann", &json!(7)), ("/people/ann", &json!(7)), ("/people/bob", &json!(7))]);
    assert_eq!(seen[0].headers["webhook-id"], seen[1].headers["webhook-id"]);
    assert_ne!(seen[0].headers["webhook-id"], seen[2].headers["webhook-id"]);
    stage.assert_at_rest().await;
}
