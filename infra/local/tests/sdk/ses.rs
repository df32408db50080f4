use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag, RawMessage};
use dunlin_local::{Cloud, Quota};
use serde_json::Value;

use crate::{cloud, pass, ses_client};

const MAIL: &str = "From: Shop <shop@example.com>\r\nTo: ada@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <ours@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n";

fn raw(mail: &str) -> EmailContent {
    EmailContent::builder().raw(RawMessage::builder().data(Blob::new(mail)).build().unwrap()).build()
}

fn to(address: &str) -> Destination {
    Destination::builder().to_addresses(address).build()
}

fn send(
    client: &aws_sdk_sesv2::Client,
    address: &str,
) -> aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder {
    client
        .send_email()
        .from_email_address("shop@example.com")
        .destination(to(address))
        .content(raw(MAIL))
        .configuration_set_name("dunlin-mail")
        .email_tags(MessageTag::builder().name("delivery").value("dlv_1").build().unwrap())
}

/// The events that arrive within a minute, with their types.
fn events(cloud: &Cloud) -> Vec<(String, Value)> {
    pass(cloud, 60);
    let messages = cloud.sqs().receive("dunlin-feedback", 10);
    let parsed = messages.iter().map(|message| serde_json::from_str::<Value>(&message.body).unwrap());
    parsed.map(|event| (event["eventType"].as_str().unwrap().to_owned(), event)).collect()
}

#[tokio::test]
async fn a_mail_reaches_the_outbox_and_its_events_come_back() {
    let cloud = cloud();
    let id = send(&ses_client(&cloud), "ada@example.org").send().await.unwrap().message_id.unwrap();

    let mail = cloud.outbox().get(&id).unwrap();
    assert_eq!(mail.to, ["ada@example.org"]);
    assert_eq!(mail.subject, "Grüße");
    assert_eq!(mail.tags, [("delivery".to_owned(), "dlv_1".to_owned())]);
    let raw = String::from_utf8(mail.raw).unwrap();
    assert!(raw.contains(&format!("Message-ID: <{id}@email.amazonses.com>")), "{raw}");
    assert!(!raw.contains("ours@example.com"), "{raw}");
    assert_eq!(cloud.outbox().count(), 1);
    assert_eq!(cloud.outbox().list(10, 0).len(), 1);

    let events = events(&cloud);
    assert_eq!(events.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["Send", "Delivery"]);
    assert_eq!(events[0].1["mail"]["timestamp"], "2026-03-01T09:00:00.000Z");
}

#[tokio::test]
async fn only_raw_mail_is_offered() {
    let client = ses_client(&cloud());
    let text = Content::builder().data("x").build().unwrap();
    let simple = Message::builder().subject(text.clone()).body(Body::builder().text(text).build()).build();
    let simple = send(&client, "a@example.org").content(EmailContent::builder().simple(simple).build());
    assert_eq!(simple.send().await.unwrap_err().into_service_error().code(), Some("BadRequestException"));
}

#[tokio::test]
async fn over_quota_is_an_error_and_not_a_queue() {
    let cloud = cloud();
    let client = ses_client(&cloud);
    cloud.set_send_quota(Some(Quota { per_second: 1, per_day: 10 }));
    send(&client, "a@example.org").send().await.unwrap();
    let refused = send(&client, "b@example.org").send().await.unwrap_err().into_service_error();
    assert!(refused.is_too_many_requests_exception(), "{refused:?}");
    pass(&cloud, 1);
    send(&client, "b@example.org").send().await.unwrap();
    let quota = client.get_account().send().await.unwrap().send_quota.unwrap();
    assert_eq!((quota.max_send_rate, quota.sent_last24_hours), (1.0, 2.0));
}

#[tokio::test]
async fn the_configuration_set_reports_every_event_that_feedback_needs() {
    let client = ses_client(&cloud());
    let set = client.get_configuration_set().configuration_set_name("dunlin-mail").send().await.unwrap();
    assert_eq!(set.configuration_set_name(), Some("dunlin-mail"));
    let asked = client.get_configuration_set_event_destinations().configuration_set_name("dunlin-mail");
    let destination = asked.send().await.unwrap().event_destinations.unwrap().remove(0);
    let kinds: Vec<&str> = destination.matching_event_types().iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, dunlin_aws::resources::FEEDBACK_EVENTS);
    assert!(destination.enabled() && destination.sns_destination().is_some());
    let error = client.get_configuration_set().configuration_set_name("other").send().await.unwrap_err();
    assert_eq!(error.code(), Some("NotFoundException"));
    assert!(client.list_email_identities().send().await.unwrap().email_identities().is_empty());
}
