//! What goes wrong with mail and with what SES tells about it, and what the mailer makes of it.

use dunlin_aws::mailer::{Mailer, Outcome};
use dunlin_aws::{Chance, Clients};
use dunlin_core::email::Email;
use dunlin_local::{Cloud, Fault, FaultKind as Kind, Quota, Service, When};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{cloud, pass};

const ALWAYS: When = When::Chance(1.0);

async fn send(cloud: &Cloud) -> Outcome {
    let clients = Clients::in_process(cloud.http_client(), cloud.clock().clone(), Chance::seeded(1));
    let mailer = Mailer::new(&clients, "dunlin-");
    let mime = "From: Shop <shop@example.com>\r\nTo: ada@example.org\r\nSubject: Hello\r\n\r\nHello\r\n";
    mailer.send(&Email::parse("complaint@simulator.amazonses.com").unwrap(), mime.into(), &[]).await
}

/// The kinds of the events that can be received now; they are handled.
fn events(cloud: &Cloud) -> Vec<String> {
    let messages = cloud.sqs().receive("dunlin-feedback", 100);
    let receipts: Vec<String> = messages.iter().map(|message| message.receipt.clone()).collect();
    cloud.sqs().delete("dunlin-feedback", &receipts);
    let kind = |body: &str| serde_json::from_str::<Value>(body).unwrap()["eventType"].as_str().unwrap().to_owned();
    messages.iter().map(|message| kind(&message.body)).collect()
}

#[tokio::test]
async fn an_outcome_is_unknown_exactly_when_the_mail_may_have_left() {
    let name = |outcome: &Outcome| format!("{outcome:?}").split('(').next().unwrap().to_owned();
    for (kind, outcome, left) in [
        (Kind::Throttle, "Later", 0),
        (Kind::SendingPaused, "Paused", 0),
        (Kind::ServerError, "Unknown", 0),
        (Kind::TimeoutNotApplied, "Unknown", 0),
        (Kind::TimeoutApplied, "Unknown", 1),
        (Kind::ResetNotApplied, "Unknown", 0),
        (Kind::ResetApplied, "Unknown", 1),
        (Kind::Unreachable, "Unreached", 0),
    ] {
        let cloud = cloud();
        cloud.faults().set(vec![Fault::new(kind, When::Call(1)).at(Service::Ses)]);
        assert_eq!(name(&send(&cloud).await), outcome, "{kind:?}");
        assert_eq!(cloud.outbox().count(), left, "{kind:?}");
        assert_eq!(cloud.faults().injected().len(), 1, "{kind:?}: the mailer asks once");
        assert_eq!(name(&send(&cloud).await), "Sent", "{kind:?}");
    }
}

#[tokio::test]
async fn a_mail_over_the_daily_quota_is_for_later_until_a_day_has_passed() {
    let cloud = cloud();
    cloud.set_send_quota(Some(Quota { per_second: 1, per_day: 2 }));
    assert!(matches!(send(&cloud).await, Outcome::Sent(_)));
    assert!(matches!(send(&cloud).await, Outcome::Later(_)), "one a second");
    pass(&cloud, 1);
    assert!(matches!(send(&cloud).await, Outcome::Sent(_)));
    pass(&cloud, 24 * 3600 - 2);
    assert!(matches!(send(&cloud).await, Outcome::Later(_)), "two a day");
    pass(&cloud, 1);
    assert!(matches!(send(&cloud).await, Outcome::Sent(_)));
    assert_eq!(cloud.outbox().count(), 3);
}

#[tokio::test]
async fn feedback_may_be_lost_doubled_reordered_or_hours_late() {
    for (kind, expected) in [
        (Kind::LostFeedback, vec![]),
        (Kind::DuplicateFeedback, vec!["Send", "Delivery", "Complaint", "Send", "Delivery", "Complaint"]),
        (Kind::ReorderedFeedback, vec!["Complaint", "Delivery", "Send"]),
        (Kind::LateFeedback, vec![]),
    ] {
        let cloud = cloud();
        cloud.faults().set(vec![Fault::new(kind, ALWAYS)]);
        send(&cloud).await;
        let mut seen = events(&cloud);
        for _ in 0..5 {
            pass(&cloud, 1);
            seen.extend(events(&cloud));
        }
        if kind == Kind::DuplicateFeedback {
            seen.sort_by_key(|kind| ["Send", "Delivery", "Complaint"].iter().position(|of| of == kind));
            assert_eq!(seen, ["Send", "Send", "Delivery", "Delivery", "Complaint", "Complaint"]);
        } else {
            assert_eq!(seen, expected, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn late_feedback_comes_within_its_extent_and_each_mails_at_its_own_time() {
    let cloud = cloud();
    cloud.faults().set(vec![Fault::new(Kind::LateFeedback, ALWAYS).up_to(SignedDuration::from_hours(4))]);
    for _ in 0..4 {
        send(&cloud).await;
    }
    let mut hours = Vec::new();
    for _ in 0..6 {
        hours.push(events(&cloud).len());
        pass(&cloud, 3600);
    }
    assert_eq!((hours[0], hours.iter().sum()), (0, 12), "{hours:?}");
    assert!(hours.iter().filter(|events| **events > 0).count() > 1, "{hours:?}");
}
