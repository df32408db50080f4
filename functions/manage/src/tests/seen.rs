//! What became of people, mails and tasks.

use dunlin_aws::Stored;
use dunlin_aws::parked::ParkedTask;
use dunlin_aws::profiles::Suppression;
use dunlin_core::call::{Action, Call};
use dunlin_core::delivery::{self, Delivery, Reason};
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::{CampaignId, DeliveryId, EventId, digest};
use dunlin_core::profile::Profile;
use jiff::SignedDuration;

use super::*;

fn call(id: &str, second: i64, action: Action) -> Call {
    let at = NOON + SignedDuration::from_secs(second);
    Call {
        id: EventId::parse(id).expect("an id"),
        project: project(),
        user: user("a/b@example.com"),
        at,
        accepted_at: at,
        action,
    }
}

fn track(name: &str) -> Action {
    let (name, data) =
        (EventName::parse(name).expect("a name"), json!({"name": name}).as_object().cloned().expect("an object"));
    Action::Track {
        name,
        email: None,
        properties: serde_json::Map::new(),
        data,
        source: None,
        conversion: None,
        passive: false,
    }
}

#[tokio::test]
async fn a_profile_is_shown_with_its_activity_in_order() {
    let house = House::with_project().await;
    let profiles = Profiles::new(&house.clients, "dunlin-");
    let mut profile = Profile::new(user("a/b@example.com"));
    for (n, action) in [track("Old"), track("Bought"), Action::Tags { add: vec!["vip".into()], remove: vec![] }]
        .into_iter()
        .enumerate()
    {
        profile.apply(&call(&format!("evt_{n}"), n as i64, action));
    }
    let old = profile.riding().get(..1).expect("one").to_vec();
    profiles.put_activity(&project(), &profile.id, &old, NOON).await.expect("stored");
    profiles.put(&project(), &Stored { state: profile, version: 0 }, NOON).await.expect("stored");
    let email = Email::parse("a/b@example.com").expect("an address");
    let suppression = Suppression { reason: SuppressionReason::Complaint, at: NOON };
    profiles.suppress(&project(), &email, &suppression).await.expect("stored");

    let path = "/projects/prj_demo/profiles/a%2Fb%40example.com";
    let (status, shown) = house.get(path).await;
    assert_eq!((status, &shown["id"], &shown["email"]), (200, &json!("a/b@example.com"), &json!("a/b@example.com")));
    assert_eq!((&shown["tags"], &shown["suppression"]["reason"]), (&json!(["vip"]), &json!("complaint")));
    assert_eq!(shown["events"].as_array().map(Vec::len), Some(2));
    let what = async |query: &str| {
        let (_, listed) = house.get(&format!("{path}/activity{query}")).await;
        listed["activity"].as_array().expect("a list").iter().map(|entry| entry["what"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(what("").await, ["tagged", "Bought", "Old"]);
    assert_eq!(what("?limit=2").await, ["tagged", "Bought"]);
    assert_eq!(house.get("/projects/prj_demo/profiles/-?id=a%2Fb%40example.com").await, (200, shown));
    for path in ["/projects/prj_demo/profiles/nobody", "/projects/prj_demo/profiles/nobody/activity"] {
        assert_eq!(house.get(path).await.0, 404);
    }
    let path = "/projects/prj_demo/suppressions/a%2Fb%40example.com";
    assert_eq!(house.get(path).await.1["reason"], "complaint");
    assert_eq!(house.ask(Method::DELETE, path, Value::Null).await.0, 204);
    assert_eq!(house.get(path).await.0, 404);
}

#[tokio::test]
async fn a_delivery_says_why_it_was_not_sent() {
    let house = House::with_project().await;
    let deliveries = Deliveries::new(&house.clients, "dunlin-", &Profiles::new(&house.clients, "dunlin-"));
    let mail = |part: &str, state| Delivery {
        id: DeliveryId::to(&project(), &user("42"), &[part]),
        project: project(),
        user: user("42"),
        campaign: CampaignId::parse("cmp_1").expect("an id"),
        version: 3,
        step: "message".into(),
        run: None,
        trigger: (EventId::derive(&["e"]), EventName::parse("Signed up").expect("a name")),
        to: None,
        subject: String::new(),
        state,
        attempts: 1,
        history: vec![delivery::Entry { at: NOON, what: "sent".into(), detail: String::new() }],
    };
    let later = NOON + SignedDuration::from_secs(1);
    let sent = mail("a", delivery::State::Sent { at: later, ses_id: Some("ses-1".into()) });
    let not_sent = mail("b", delivery::State::NotSent { at: NOON, reason: Reason::Condition("tag vip".into()) });
    for state in [&sent, &not_sent] {
        deliveries.put(&Stored { state: state.clone(), version: 0 }, NOON).await.expect("stored");
    }
    let (status, shown) = house.get(&format!("/projects/prj_demo/deliveries/{}", not_sent.id)).await;
    assert_eq!((status, &shown["state"], &shown["event"]["name"]), (200, &json!("not_sent"), &json!("Signed up")));
    assert_eq!(
        shown["reason"],
        json!({"code": "condition", "text": "a condition was not met: tag vip", "is_failure": false})
    );
    assert_eq!(shown["history"], json!([{"at": NOON.to_string(), "what": "sent"}]));
    let (_, listed) = house.get("/projects/prj_demo/profiles/42/deliveries").await;
    let states: Vec<&Value> =
        listed["deliveries"].as_array().expect("a list").iter().map(|mail| &mail["state"]).collect();
    assert_eq!(states, ["sent", "not_sent"]);
    assert_eq!(house.get("/projects/prj_other/deliveries/dlv_1").await.0, 404);
}

#[tokio::test]
async fn a_parked_task_goes_back_to_its_queue_as_it_was() {
    let house = House::with_project().await;
    let parked = Parked::new(&house.clients, "dunlin-");
    let calls = r#"{ "v":1, "calls":[{"project":"prj_demo","user":"42"}] }"#;
    let send = r#"{"project":"prj_demo","v":7}"#;
    let tasks = [("events", calls), ("sends", send), ("feedback", "{"), ("gone", "{}")];
    let tasks = tasks.map(|(queue, body)| ParkedTask::new(queue, "m1", body, "the task does not parse", NOON));
    for task in &tasks {
        parked.put(task).await.expect("stored");
    }
    let [events, sends, feedback, gone] = &tasks;
    let count = async |query: &str| house.get(&format!("/parked{query}")).await.1["parked"].as_array().map(Vec::len);
    assert_eq!((count("").await, count("?limit=2").await), (Some(4), Some(2)));
    assert_eq!((count("?queue=sends").await, count("?project=prj_demo").await), (Some(1), Some(2)));
    let (_, shown) = house.get(&format!("/parked/{}", events.id)).await;
    assert_eq!((&shown["body"], &shown["reason"]), (&json!(calls), &json!("the task does not parse")));
    for task in [events, sends, feedback] {
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 200, "{}", task.queue);
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 404);
    }
    let [event] = house.wire.queued("dunlin-events.fifo").try_into().expect("one");
    assert_eq!((&event["MessageBody"], &event["MessageGroupId"]), (&json!(calls), &json!(digest(&["prj_demo", "42"]))));
    assert!(event["MessageDeduplicationId"].as_str().is_some_and(|dedup| dedup.starts_with(events.id.as_str())));
    let [sent] = house.wire.queued("dunlin-sends").try_into().expect("one");
    assert_eq!((&sent["MessageBody"], &sent["MessageGroupId"]), (&json!(send), &json!("prj_demo")));
    assert_eq!(house.wire.queued("dunlin-feedback").len(), 1);
    assert_eq!(house.post(&format!("/parked/{}/redrive", gone.id), Value::Null).await.0, 409);
    assert_eq!(house.ask(Method::DELETE, &format!("/parked/{}", gone.id), Value::Null).await.0, 204);
    assert_eq!(count("").await, Some(0));
}

#[tokio::test]
async fn a_task_that_the_queue_does_not_take_stays_parked() {
    let house = House::with_project().await;
    for queue in ["events", "sends"] {
        let task = ParkedTask::new(queue, "m1", "{}", "poison", NOON);
        Parked::new(&house.clients, "dunlin-").put(&task).await.expect("stored");
        house.wire.fail_queues();
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 503);
        assert_eq!(house.get(&format!("/parked/{}", task.id)).await.0, 200);
    }
}

/// The ids of all pages of a listing, or of what is done page by page.
async fn walk(house: &House, method: Method, path: &str, query: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = house.ask(method.clone(), &format!("{path}?{query}{after}"), Value::Null).await;
        assert_eq!(status, 200, "{page}");
        let tasks = page["parked"].as_array().expect("a page");
        ids.extend(tasks.iter().map(|task| task["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { return ids };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn many_parked_tasks_are_listed_redriven_and_discarded_by_page_queue_project_reason_and_time() {
    let house = House::with_project().await;
    let parked = Parked::new(&house.clients, "dunlin-");
    for n in 0..120 {
        let (queue, reason) = if n % 2 == 0 { ("sends", "does not parse") } else { ("steps", "no such version") };
        let at = NOON + SignedDuration::from_secs(n);
        let body = format!(r#"{{"project":"prj_p{}"}}"#, n % 3);
        parked.put(&ParkedTask::new(queue, &n.to_string(), &body, reason, at)).await.expect("stored");
    }
    let list = async |query: &str| walk(&house, Method::GET, "/parked", query).await;
    let mut all = list("limit=7").await;
    assert_eq!(all.len(), 120);
    all.dedup();
    assert_eq!((all.len(), all.is_sorted()), (120, true), "each once");
    assert_eq!(list("limit=7&queue=sends&project=prj_p0").await.len(), 20);
    assert_eq!(list("reason=no%20such").await.len(), 60);
    let before = NOON + SignedDuration::from_secs(30);
    let some = format!("limit=4&queue=steps&before={before}");
    let redriven = walk(&house, Method::POST, "/parked/redrive", &some).await;
    assert_eq!((redriven.len(), house.wire.queued("dunlin-steps").len()), (15, 15));
    assert_eq!(list("").await.len(), 105);
    assert_eq!(walk(&house, Method::DELETE, "/parked", "limit=9&reason=parse").await.len(), 60);
    assert_eq!(list("").await.len(), 45);
    assert_eq!(house.get("/parked?after=nonsense").await.0, 400);
}

#[tokio::test]
async fn no_more_than_a_hundred_are_changed_by_one_request_so_that_it_ends_in_time() {
    let house = House::with_project().await;
    for n in 0..250 {
        let task = ParkedTask::new("steps", &n.to_string(), "{}", "poison", NOON);
        Parked::new(&house.clients, "dunlin-").put(&task).await.expect("stored");
    }
    let (_, listed) = house.get("/parked?limit=1000").await;
    assert_eq!(listed["parked"].as_array().map(Vec::len), Some(250));
    for (method, path) in [(Method::POST, "/parked/redrive"), (Method::DELETE, "/parked")] {
        let (_, page) = house.ask(method, &format!("{path}?limit=1000"), Value::Null).await;
        assert_eq!((page["parked"].as_array().map(Vec::len), page["next"].is_string()), (Some(100), true), "{path}");
    }
    assert_eq!(
        (house.wire.queued("dunlin-steps").len(), walk(&house, Method::GET, "/parked", "").await.len()),
        (100, 50)
    );
}

#[tokio::test]
async fn a_task_of_a_queue_that_is_no_more_does_not_keep_the_others_from_going_back() {
    let house = House::with_project().await;
    for queue in ["gone", "steps"] {
        let task = ParkedTask::new(queue, "m", "{}", "poison", NOON);
        Parked::new(&house.clients, "dunlin-").put(&task).await.expect("stored");
    }
    assert_eq!(walk(&house, Method::POST, "/parked/redrive", "").await.len(), 1);
    assert_eq!(walk(&house, Method::GET, "/parked", "").await.len(), 1);
}
