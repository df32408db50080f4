use std::net::Ipv4Addr;

use axum::Json;
use axum::extract::Path;
use axum::response::IntoResponse as _;
use axum::routing::post;
use dunlin_aws::Clock;
use dunlin_aws::resources;
use dunlin_aws::settings::{Setting, Settings};
use http::StatusCode;
use tokio::net::TcpListener;

use super::*;
use crate::{Cloud, World};

fn settings() -> Settings {
    let read = Settings::read(&Setting::ALL, |name| {
        Some(match name {
            "AWS_REGION" => "us-east-1".to_owned(),
            "DUNLIN_PREFIX" => "dunlin-".to_owned(),
            "DUNLIN_BUCKET" => "dunlin-store".to_owned(),
            "DUNLIN_QUEUES" => "http://aws.local/000000000000".to_owned(),
            "DUNLIN_PUBLIC" => "http://localhost:9000".to_owned(),
            "DUNLIN_SIGNING_KEYS" => format!("k1:{}", "x".repeat(32)),
            "DUNLIN_ADMIN_KEY" => "x".repeat(32),
            _ => return None,
        })
    });
    read.expect("settings")
}

/// A world in real time whose functions are behind `port`, with texts on the queue of `send`.
async fn world(port: u16, texts: &[&str]) -> World {
    let cloud = Cloud::in_memory(Clock::System, 1).expect("a cloud");
    let lambda = Lambda::at(&format!("http://127.0.0.1:{port}")).expect("an address");
    let world = World::new(cloud, settings(), 1).watched(lambda);
    let url = world.settings().queue_url(resources::SENDS);
    for text in texts {
        world.clients().sqs.send_message().queue_url(&url).message_body(*text).send().await.expect("sent");
    }
    world
}

fn left(world: &World) -> (u64, u64) {
    let depth = world.cloud().sqs().depth(&world.queue_name(&resources::SENDS));
    (depth.visible, depth.in_flight)
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Functions that answer a batch with `answer` of its event; one of "lost" is never answered.
async fn functions(answer: impl Fn(&str, &Value) -> (StatusCode, Value) + Clone + Send + Sync + 'static) -> u16 {
    let (listener, port) = listener().await;
    let route = post(move |Path(name): Path<String>, Json(event): Json<Value>| async move {
        if event["Records"][0]["body"] == "lost" {
            std::future::pending::<()>().await;
        }
        let (status, body) = answer(&name, &event);
        (status, Json(body)).into_response()
    });
    let router = axum::Router::new().route("/2015-03-31/functions/{name}/invocations", route);
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    port
}

#[tokio::test]
async fn only_the_records_that_a_function_reports_stay() {
    let port = functions(|name, event| {
        assert_eq!(name, "dunlin-send");
        let bad = event["Records"].as_array().expect("records").iter().find(|record| record["body"] == "bad");
        let id = &bad.expect("the bad one")["messageId"];
        (StatusCode::OK, json!({ "batchItemFailures": [{ "itemIdentifier": id }] }))
    });
    let world = world(port.await, &["good", "bad", "good too"]).await;
    while left(&world).0 > 0 {
        world.poll(Function::Send).await;
    }
    assert_eq!(left(&world), (0, 1));
}

#[tokio::test]
async fn a_function_that_fails_acknowledges_nothing() {
    let failures = [
        (StatusCode::OK, json!({ "errorType": "Panic", "errorMessage": "oh" })),
        (StatusCode::OK, json!({ "batchItemFailures": [{ "itemIdentifier": "somebody else's" }] })),
        (StatusCode::OK, json!({ "batchItemFailures": [{ "id": "x" }] })),
        (StatusCode::OK, json!("done")),
        (StatusCode::NOT_FOUND, json!({ "detail": "that function doesn't exist" })),
        (StatusCode::INTERNAL_SERVER_ERROR, Value::Null),
    ];
    for failure in failures {
        let answer = failure.clone();
        let world = world(functions(move |_, _| answer.clone()).await, &["text"]).await;
        world.poll(Function::Send).await;
        assert_eq!(left(&world), (0, 1), "{failure:?}");
    }
}

#[tokio::test]
async fn nothing_null_and_an_empty_list_acknowledge_everything() {
    for success in [json!({}), Value::Null, json!({ "batchItemFailures": null }), json!({ "batchItemFailures": [] })] {
        let answer = success.clone();
        let world = world(functions(move |_, _| (StatusCode::OK, answer.clone())).await, &["text"]).await;
        world.poll(Function::Send).await;
        assert_eq!(left(&world), (0, 0), "{success}");
    }
}

#[tokio::test]
async fn messages_wait_in_their_queue_until_somebody_listens() {
    let (listener, port) = listener().await;
    drop(listener);
    let world = world(port, &["text"]).await;
    let polled = tokio::time::timeout(AGAIN / 2, world.poll(Function::Send)).await;
    assert!(polled.is_err(), "nobody listens");
    assert_eq!(left(&world), (1, 0), "not received: no receive is counted");
}

#[tokio::test]
async fn messages_of_functions_that_go_away_come_back_at_once() {
    let (listener, port) = listener().await;
    let world = world(port, &["text"]).await;
    let gone = tokio::spawn(async move {
        for _ in 0..2 {
            drop(listener.accept().await);
        }
    });
    world.poll_queue(Function::Send, &resources::SENDS).await;
    gone.await.expect("ended");
    let queue = world.queue_name(&resources::SENDS);
    let again = tokio::time::timeout(AGAIN * 5, world.cloud().sqs().wait_for_message(&queue)).await;
    assert!(again.is_ok(), "the message is visible again long before its time-out");
}

#[tokio::test]
async fn an_invocation_that_a_later_one_overtook_is_given_up() {
    let port = functions(|_, _| (StatusCode::OK, Value::Null));
    let lambda = Lambda::at(&format!("http://127.0.0.1:{}", port.await)).expect("an address");
    let event = |text: &str| {
        let mut record = aws_lambda_events::event::sqs::SqsMessage::default();
        record.body = Some(text.to_owned());
        let mut event = SqsEvent::default();
        event.records = vec![record];
        event
    };
    let (lost, later) = (lambda.clone(), Duration::from_millis(10));
    let lost = tokio::spawn(async move { lost.invoke(Function::Send, event("lost"), later).await });
    tokio::time::sleep(later * 5).await;
    assert!(!lost.is_finished(), "there is no time-out while nobody answers");
    lambda.invoke(Function::Send, event("later"), later).await.expect("answered");
    let error = lost.await.expect("no panic").expect_err("given up").to_string();
    assert!(error.contains("ended meanwhile"), "{error}");
}

#[test]
fn an_address_of_functions_is_of_http() {
    for url in ["https://localhost:9000", "localhost:9000", "9000", ""] {
        assert!(matches!(Lambda::at(url), Err(Uninvoked::BadUrl(_))), "{url}");
    }
}
