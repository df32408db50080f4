//! Nothing personal in logs: no address, no property value, whatever goes wrong.

use std::io::Write;
use std::sync::{Arc, Mutex};

use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{NUDGE, RECEIPT};

/// Marks every personal value of the story.
const MARK: &str = "quetzal";

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A story in which everything is personal and much goes wrong.
async fn story(stage: &Stage) {
    stage.publish(RECEIPT).await;
    stage.publish(NUDGE).await;
    let secret = |name: &str| format!("{name}-{MARK}");
    for (id, email) in [("a", "ann-quetzal@example.com"), ("b", "bounce+quetzal@simulator.amazonses.com")] {
        let (id, data) = (secret(id), json!({"plan": secret("plan"), "phone": secret("phone")}));
        stage.call(Method::POST, "/users/track", json!({"id": id, "email": email, "data": data})).await;
        let identity = json!({"id": id, "email": email});
        for event in ["Bought", "Looked"] {
            let data = json!({"order": secret("order")});
            let body = json!({"identity": identity, "event_name": event, "data": data});
            stage.call(Method::POST, "/events/track", body).await;
        }
        stage.call(Method::PUT, "/users/tags/edit", json!({"id": id, "add": [secret("tag")]})).await;
    }
    let refused = json!({"auth_token": secret("token"), "id": secret("c"), "email": format!("{MARK}@")});
    stage.request(Method::POST, "/api/v2/users/track", &[], &refused).await;
    let url = stage.world.settings().queue_url(dunlin_aws::resources::SENDS);
    let sqs = &stage.world.clients().sqs;
    for poison in [format!("{{\"v\":1,\"user\":\"{MARK}\"}}"), format!("{{\"v\":\"{MARK}\",\"project\":\"{MARK}\"}}")] {
        sqs.send_message().queue_url(&url).message_group_id("p").message_body(poison).send().await.expect("sent");
    }
    stage.pass(SignedDuration::from_mins(30)).await;
    stage.call(Method::PUT, "/users/reidentify", json!({"id": secret("a"), "new_id": secret("z")})).await;
    stage.call(Method::POST, "/users/delete", json!({"id": secret("z")})).await;
    stage.pass(SignedDuration::from_mins(30)).await;
}

#[tokio::test]
async fn nothing_personal_is_logged_whatever_goes_wrong() {
    let captured = Captured::default();
    let writer = captured.clone();
    let lines =
        tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new("info")).with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(lines.finish());
    for seed in 0..4 {
        let stage = Stage::new(seed).await;
        let faults = [FaultKind::Throttle, FaultKind::ServerError, FaultKind::TimeoutApplied];
        let fault = |kind| Fault::new(kind, When::Chance(0.04)).at(Service::DynamoDb);
        stage.world.cloud().faults().set(faults.into_iter().map(fault).collect());
        story(&stage).await;
    }
    drop(guard);
    let log = String::from_utf8(captured.0.lock().expect("the log").clone()).expect("text");
    assert!(log.lines().count() > 30 && log.contains("mail sent") && log.contains("task parked"), "{log}");
    let personal: Vec<&str> = log.lines().filter(|line| line.contains(MARK)).collect();
    assert!(personal.is_empty(), "{personal:#?}");
}
