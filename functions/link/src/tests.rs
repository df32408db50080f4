//! The whole room over the real SDK, whose requests are answered in process.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use axum::body::{Body, to_bytes};
use dunlin_aws::{Chance, Clients};
use dunlin_core::call::Action;
use dunlin_core::feedback::{Arrival, Interaction, InteractionKind};
use dunlin_core::ids::{DeliveryId, ProjectId, UserId, digest};
use dunlin_core::link::{Purpose, Target};
use dunlin_core::task::{self, Calls};
use http::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const OLD: &str = "k1:0123456789abcdef0123456789abcdef";
const NEW: &str = "k2:fedcba9876543210fedcba9876543210";
const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

/// SQS and S3 as the SDK's HTTP client sees them: what was queued by queue, what was stored by path.
#[derive(Clone, Debug, Default)]
struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    queued: BTreeMap<String, Vec<Value>>,
    stored: BTreeMap<String, Vec<u8>>,
    sqs_is_down: bool,
    s3_is_down: bool,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().expect("in memory").to_vec();
        let mut state = self.0.lock().expect("no panic");
        let (status, body) = match (request.headers().get("x-amz-target"), request.method()) {
            (Some(_), _) => state.sqs(&serde_json::from_slice(&body).expect("JSON")),
            (None, method) => state.s3(method, request.uri(), body),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().expect("a status"), body.into())))
    }
}

impl State {
    fn sqs(&mut self, request: &Value) -> (u16, Vec<u8>) {
        if self.sqs_is_down {
            return (500, br#"{"__type":"InternalFailure"}"#.to_vec());
        }
        let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).expect("a queue").to_owned();
        let entries = request["Entries"].as_array().expect("entries").clone();
        let taken: Vec<Value> = entries
            .iter()
            .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x" }))
            .collect();
        self.queued.entry(queue).or_default().extend(entries);
        (200, json!({ "Successful": taken, "Failed": [] }).to_string().into_bytes())
    }

    fn s3(&mut self, method: &str, uri: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let path =
            uri.strip_prefix("http://aws.local/store/").and_then(|path| path.split('?').next()).expect(uri).to_owned();
        match (self.s3_is_down, method) {
            (true, _) => (500, b"<Error><Code>InternalError</Code></Error>".to_vec()),
            (false, "PUT") => {
                self.stored.insert(path, body);
                (200, Vec::new())
            }
            (false, _) => match self.stored.get(&path) {
                Some(content) => (200, content.clone()),
                None => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            },
        }
    }
}

/// An answer, read to its end.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The room, and what is behind it.
struct House {
    router: Router,
    wire: Wire,
    ring: Keyring,
}

impl House {
    fn open() -> Self {
        Self::with(OLD)
    }

    fn with(keys: &str) -> Self {
        let wire = Wire::default();
        let connector = SharedHttpConnector::new(wire.clone());
        let http = SharedHttpClient::new(http_client_fn(move |_: &HttpConnectorSettings, _| connector.clone()));
        let clock = Clock::virtual_at(NOON);
        let clients = Clients::in_process(http, clock.clone(), Chance::seeded(7));
        let ring = Keyring::parse(keys).expect("a keyring");
        let link = Link {
            keyring: ring.clone(),
            calls: calls::Queue::new(clients.sqs.clone(), "http://aws.local/0/events.fifo".into()),
            spill: Spill::new(clients.s3.clone(), "store".into()),
            feedback: queues::Queue::new(&clients.sqs, "http://aws.local/0/feedback".into()),
            copies: Copies::new(clients.s3, "store".into()),
            clock,
        };
        Self { router: service(link), wire, ring }
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> Answered {
        let request = Request::builder().method(method).uri(path).header("user-agent", "Mail/1.0");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let (head, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        Answered { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&self, path: &str) -> Answered {
        self.ask(Method::GET, path, "").await
    }

    async fn post(&self, path: &str, body: &str) -> Answered {
        self.ask(Method::POST, path, body).await
    }

    fn path(&self, purpose: Purpose) -> String {
        signed(purpose).path(&self.ring)
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.wire.0.lock().expect("no panic"))
    }

    fn interactions(&self) -> Vec<Interaction> {
        let queued = self.state(|state| state.queued.get("feedback").cloned().unwrap_or_default());
        let read = |entry: &Value| match Arrival::parse(entry["MessageBody"].as_str().expect("a text"), NOON) {
            Ok(Arrival::Interaction(interaction)) => interaction,
            other => panic!("{other:?}"),
        };
        queued.iter().map(read).collect()
    }

    /// The calls on the queue, each with its group and deduplication id.
    fn calls(&self) -> Vec<(String, String, Calls)> {
        let queued = self.state(|state| state.queued.get("events.fifo").cloned().unwrap_or_default());
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("a text").to_owned();
        let read = |entry: &Value| {
            let calls = task::from_text(&text(entry, "MessageBody")).expect("calls");
            (text(entry, "MessageGroupId"), text(entry, "MessageDeduplicationId"), calls)
        };
        queued.iter().map(read).collect()
    }

    fn actions(&self) -> Vec<Action> {
        self.calls().into_iter().flat_map(|(_, _, calls)| calls.calls).map(|call| call.action).collect()
    }
}

fn project() -> ProjectId {
    ProjectId::parse("prj_demo").expect("an id")
}

fn signed(purpose: Purpose) -> link::Link {
    link::Link { project: project(), delivery: DeliveryId::derive(&["d"]), purpose }
}

fn click(target: &str) -> Purpose {
    Purpose::Click(Target::parse(target).expect("a target"))
}

fn unsubscribe() -> Purpose {
    Purpose::Unsubscribe(UserId::parse("42").expect("a user"))
}

#[tokio::test]
async fn an_open_is_a_pixel_that_is_never_cached_and_one_interaction() {
    let house = House::open();
    let answer = house.get(&house.path(Purpose::Open)).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "image/gif"));
    assert!(answer.header("cache-control").contains("no-store") && answer.body.starts_with("GIF89a"));
    let [seen] = house.interactions().try_into().expect("one");
    assert_eq!((seen.kind, seen.at, seen.url), (InteractionKind::Open, NOON, None));
    assert_eq!((seen.project, seen.delivery), (project(), DeliveryId::derive(&["d"])));
    assert_eq!(seen.user_agent.as_deref(), Some("Mail/1.0"));
}

#[tokio::test]
async fn a_click_goes_to_the_signed_target_and_is_counted_and_a_head_only_answers() {
    let house = House::open();
    let path = house.path(click("https://shop.example/a?b=c&d=ü#e"));
    let head = house.ask(Method::HEAD, &path, "").await;
    assert_eq!((head.status, house.interactions().len()), (StatusCode::FOUND, 0));
    let answer = house.get(&path).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.header("location"), "https://shop.example/a?b=c&d=%C3%BC#e");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let [seen] = house.interactions().try_into().expect("one");
    assert_eq!(
        (seen.kind, seen.url.as_deref()),
        (InteractionKind::Click, Some("https://shop.example/a?b=c&d=%C3%BC#e"))
    );
}

#[tokio::test]
async fn a_recipient_is_served_even_if_nothing_can_be_counted() {
    let house = House::open();
    house.state(|state| state.sqs_is_down = true);
    assert_eq!(house.get(&house.path(Purpose::Open)).await.status, StatusCode::OK);
    assert_eq!(house.get(&house.path(click("https://shop.example/"))).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_link_that_was_forged_cut_or_made_for_something_else_leads_nowhere() {
    let house = House::open();
    let other = House::with("k1:another-secret-another-secret-42");
    let honest = house.path(click("https://shop.example/"));
    let open = house.path(Purpose::Open);
    let retired = House::with(NEW);
    let paths = [
        other.path(click("https://evil.example/")),
        retired.path(click("https://evil.example/")),
        honest[..honest.len() - 1].to_owned(),
        format!("{honest}x"),
        open.replace("/l/o/", "/l/c/"),
        honest.replace("/l/c/", "/l/v/"),
        honest.replace("/l/c/", "/l/u/"),
        honest.replace("/l/c/", "/l/o/"),
        "/l/c/https:%2F%2Fevil.example".into(),
        "/l/c/aHR0cHM6Ly9ldmlsLmV4YW1wbGU.k1.AAAAAAAAAAAAAAAAAAAAAA".into(),
        "/l/c/%00%0d%0aLocation:%20https:%2F%2Fevil.example".into(),
        "/l/c/..%2F..%2Fetc".into(),
        "/l/c/%FF%FE".into(),
        format!("/l/c/{}", "x".repeat(7_000)),
        "/l/x/y".into(),
        "/l/c/?url=https://evil.example".into(),
        "/".into(),
    ];
    for path in paths {
        for method in [Method::GET, Method::HEAD] {
            let answer = house.ask(method, &path, "").await;
            assert!(answer.status.is_client_error(), "{path} {}", answer.status);
            assert!(answer.headers.get("location").is_none(), "{path}");
            assert!(!answer.body.contains("evil"), "{path}");
        }
    }
    assert!(house.post(&honest.replace("/l/c/", "/l/u/"), "").await.status.is_client_error());
    assert_eq!((house.interactions(), house.calls()), (vec![], vec![]));
}

#[tokio::test]
async fn a_key_that_is_retired_works_until_it_leaves_the_ring() {
    let before = House::open().path(click("https://shop.example/"));
    let during = House::with(&format!("{NEW},{OLD}"));
    assert_eq!(during.get(&before).await.status, StatusCode::FOUND);
    assert_eq!(House::with(NEW).get(&before).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn looking_at_the_unsubscribe_page_changes_nothing() {
    let house = House::open();
    for method in [Method::GET, Method::HEAD] {
        let answer = house.ask(method, &house.path(unsubscribe()), "").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-security-policy").starts_with("sandbox allow-forms; default-src 'none'"));
    }
    let page = house.get(&house.path(unsubscribe())).await.body;
    assert!(page.contains("<form method=\"post\">") && page.contains("<button"), "{page}");
    assert_eq!((house.interactions(), house.calls()), (vec![], vec![]));
}

#[tokio::test]
async fn one_click_and_the_button_both_unsubscribe_in_the_persons_own_order() {
    for body in
        ["List-Unsubscribe=One-Click", "", "choice=", "--x\r\nContent-Disposition: form-data", "choice=resubscribe&x"]
    {
        let house = House::open();
        let answer = house.post(&house.path(unsubscribe()), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        assert!(answer.body.contains("You are unsubscribed"), "{}", answer.body);
        let [(group, dedup, calls)] = house.calls().try_into().expect("one");
        let [call] = calls.calls.try_into().expect("one");
        assert_eq!((call.action, call.user.as_str(), call.project), (Action::Unsubscribe, "42", project()));
        assert_eq!((call.at, call.accepted_at), (NOON, NOON));
        assert_eq!((group, dedup), (digest(&["prj_demo", "42"]), call.id.to_string()));
        assert_eq!(house.interactions().first().map(|seen| seen.kind), Some(InteractionKind::Unsubscribe));
    }
}

#[test]
fn a_double_click_is_one_call_and_unsubscribing_after_coming_back_is_another() {
    let (seen, user) = (signed(unsubscribe()), UserId::parse("42").expect("a user"));
    let dedup = |action: Action, millis: i64| {
        let at = NOON + jiff::SignedDuration::from_millis(millis);
        crate::report::message(&seen, &user, action, at).expect("a message").dedup
    };
    let first = dedup(Action::Unsubscribe, 0);
    assert_eq!(first, dedup(Action::Unsubscribe, 400));
    assert_ne!(first, dedup(Action::Resubscribe, 0));
    assert_ne!(first, dedup(Action::Unsubscribe, 60_000));
}

#[tokio::test]
async fn the_way_back_is_a_button_on_the_next_page() {
    let house = House::open();
    let path = house.path(unsubscribe());
    let done = house.post(&path, "List-Unsubscribe=One-Click").await;
    assert!(done.body.contains("name=\"choice\" value=\"resubscribe\""), "{}", done.body);
    let back = house.post(&path, "choice=resubscribe").await;
    assert!(back.body.contains("You are subscribed again"), "{}", back.body);
    assert_eq!(house.actions(), [Action::Unsubscribe, Action::Resubscribe]);
}

#[tokio::test]
async fn an_unsubscribe_that_the_queue_does_not_take_is_spilled_and_one_that_is_lost_is_not_confirmed() {
    let house = House::open();
    house.state(|state| state.sqs_is_down = true);
    let answer = house.post(&house.path(unsubscribe()), "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let spilled = house.state(|state| state.stored.keys().cloned().collect::<Vec<_>>());
    assert!(spilled.len() == 1 && spilled[0].starts_with("spill/"), "{spilled:?}");
    house.state(|state| state.s3_is_down = true);
    let answer = house.post(&house.path(unsubscribe()), "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "60"));
    assert!(!answer.body.contains("You are unsubscribed"), "{}", answer.body);
}

#[tokio::test]
async fn a_user_id_cannot_bring_markup_into_the_page() {
    let house = House::open();
    let user = UserId::parse("<script>alert(1)</script>@\"x").expect("a user");
    let path = house.path(Purpose::Unsubscribe(user));
    for page in [house.get(&path).await, house.post(&path, "").await] {
        assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;"), "{}", page.body);
    }
    let anonymous = house.get(&house.path(unsubscribe())).await.body;
    assert!(!anonymous.contains("42"), "an id says nothing to its owner: {anonymous}");
}

#[tokio::test]
async fn a_mail_is_shown_from_its_copy_in_a_sandbox_without_scripts() {
    let house = House::open();
    let path = house.path(Purpose::View);
    assert_eq!(house.get(&path).await.status, StatusCode::NOT_FOUND);
    let key = format!("mail/prj_demo/{}", DeliveryId::derive(&["d"]));
    house.state(|state| state.stored.insert(key, b"<p>Hi<script>alert(1)</script>".to_vec()));
    let answer = house.get(&path).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "<p>Hi<script>alert(1)</script>"));
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("script") && !policy.contains("same-origin"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    house.state(|state| state.s3_is_down = true);
    assert_eq!(house.get(&path).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let house = House::open();
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = house.ask(method, &house.path(click("https://shop.example/")), "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "with the page for links that do not work");
    }
    assert_eq!(house.interactions(), vec![]);
}
