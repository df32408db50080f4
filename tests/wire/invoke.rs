//! The example events of `cargo lambda invoke` are what the functions read: Lambda's shapes, our tasks.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sqs::SqsEvent;
use dunlin_core::feedback::Arrival;
use dunlin_core::task::{Calls, Hook, Send, Step, from_text};
use http::Method;
use lambda_http::RequestExt as _;

fn event(function: &str) -> String {
    let path = dunlin_tests::root().join(format!("tests/fixtures/invoke/{function}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of the one record of an event, which must come from `queue`.
fn text(function: &str, queue: dunlin_aws::resources::Queue) -> String {
    let event: SqsEvent = serde_json::from_str(&event(function)).expect("an event of SQS");
    let [record] = &event.records[..] else { panic!("{function}: one record") };
    let source = record.event_source_arn.as_deref().unwrap_or_default();
    assert!(source.ends_with(&queue.name()), "{function}: {source}");
    record.body.clone().expect("a body")
}

#[test]
fn every_function_has_an_example_event() {
    for entry in std::fs::read_dir(dunlin_tests::root().join("functions")).expect("functions") {
        assert!(!event(&entry.expect("an entry").file_name().to_string_lossy()).is_empty());
    }
}

#[test]
fn the_example_events_of_queues_hold_tasks() {
    use dunlin_aws::resources::{EVENTS, FEEDBACK, HOOKS, SENDS, STEPS};
    from_text::<Calls>(&text("evaluate", EVENTS)).expect("calls");
    from_text::<Step>(&text("schedule", STEPS)).expect("a step");
    from_text::<Send>(&text("send", SENDS)).expect("a mail");
    from_text::<Hook>(&text("hook", HOOKS)).expect("a webhook");
    Arrival::parse(&text("feedback", FEEDBACK), jiff::Timestamp::UNIX_EPOCH).expect("feedback");
}

#[test]
fn the_example_event_of_sweep_is_a_schedules() {
    let event: EventBridgeEvent = serde_json::from_str(&event("sweep")).expect("an event of EventBridge");
    assert_eq!(event.detail_type, "Scheduled Event");
}

#[test]
fn the_example_events_of_routes_are_requests() {
    for (function, method, path) in [
        ("intake", Method::POST, "/api/v2/events/track"),
        ("link", Method::GET, "/l/u/a-link-of-a-mail"),
        ("manage", Method::GET, "/manage/v1/projects"),
    ] {
        let request = lambda_http::request::from_str(&event(function)).expect("a request");
        assert_eq!((request.method(), request.raw_http_path()), (&method, path), "{function}");
    }
}
