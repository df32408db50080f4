//! The events of a mail: through the configuration set (and SNS, where there is one) to a queue.

use aws_sdk_sesv2::types::{EventDestinationDefinition, EventType, SnsDestination};
use serde_json::Value;

use super::{SUCCESS, tag};
use crate::aws::{Aws, Made};
use crate::documents::ses_guide;
use crate::queue::Queue;
use crate::rule::{Checked, Rule, Wrong, holds, rule, same, some};

const CONTENTS: &str = ses_guide!("event-publishing-retrieving-sns-contents");
const EXAMPLES: &str = ses_guide!("event-publishing-retrieving-sns-examples");
const SIMULATOR: &str = ses_guide!("send-an-email-from-console");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_mail_that_arrives_is_sent_and_delivered,
        "`success@` of the mailbox simulator brings a Send and a Delivery event",
        SIMULATOR
    ),
    rule!(
        a_mail_that_bounces_says_so,
        "`bounce@` brings Send, and Bounce: Permanent, with the address and its diagnosis",
        SIMULATOR
    ),
    rule!(a_complaint_says_so, "`complaint@` brings Complaint with the address", SIMULATOR),
    rule!(a_suppressed_address_bounces, "`suppressionlist@` brings a Bounce: Permanent, Suppressed", SIMULATOR),
    rule!(a_label_changes_nothing, "`bounce+label@` bounces, too", SIMULATOR),
    rule!(an_event_carries_the_mails_tags, "An event carries the mail's tags, each with a list of values", CONTENTS),
    rule!(an_event_carries_the_mails_id, "An event carries the id that `SendEmail` gave", CONTENTS),
    rule!(an_event_describes_the_mail, "An event has the mail's time, source, destination and headers", CONTENTS),
    rule!(
        a_delivery_describes_itself,
        "A delivery has its time, its recipients and the answer of their server",
        EXAMPLES
    ),
    rule!(
        a_mail_without_configuration_set_has_no_events,
        "A mail without a configuration set brings no events",
        ses_guide!("event-publishing-send-email")
    ),
];

/// From a configuration set to a queue.
struct Road {
    configuration_set: String,
    queue: Queue,
}

async fn road(aws: &Aws) -> Result<Road, Wrong> {
    if aws.is_ours() {
        let url = some("queue", aws.sqs.get_queue_url().queue_name("dunlin-feedback").send().await?.queue_url)?;
        return Ok(Road { configuration_set: "dunlin-mail".to_owned(), queue: Queue { url } });
    }
    let (topic, queue) = crate::sns::subscribed(aws, true).await?;
    let configuration_set = aws.fresh("mail");
    aws.ses.create_configuration_set().configuration_set_name(&configuration_set).send().await?;
    aws.note(Made::ConfigurationSet(configuration_set.clone()));
    let types = [EventType::Send, EventType::Delivery, EventType::Bounce, EventType::Complaint];
    let destination = EventDestinationDefinition::builder().enabled(true).set_matching_event_types(Some(types.into()));
    let sns = SnsDestination::builder().topic_arn(&topic).build().expect("a destination");
    let create = aws.ses.create_configuration_set_event_destination().configuration_set_name(&configuration_set);
    create.event_destination_name("sns").event_destination(destination.sns_destination(sns).build()).send().await?;
    Ok(Road { configuration_set, queue })
}

/// Sends a mail, and waits for so many events of it; with the mail's id.
async fn events(aws: &Aws, to: &str, count: usize) -> Result<(String, Vec<Value>), Wrong> {
    let road = road(aws).await?;
    let mail = aws.mail(to).configuration_set_name(&road.configuration_set);
    let id = some("id", mail.email_tags(tag("delivery", "dlv_1-a")).send().await?.message_id)?;
    if aws.is_ours() {
        aws.pass(10).await;
    }
    let came = aws.gather(&road.queue, count).await?;
    let bodies = came.iter().filter_map(|message| serde_json::from_str::<Value>(message.body()?).ok());
    // SNS tells a new destination that it works.
    Ok((id, bodies.filter(|event| event.get("eventType").is_some()).collect()))
}

/// The event of a type.
fn of_type<'a>(events: &'a [Value], name: &str) -> Result<&'a Value, Wrong> {
    let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    let found = events.iter().find(|event| event["eventType"] == name);
    found.ok_or_else(|| Wrong::Otherwise(format!("events {types:?}")))
}

async fn a_mail_that_arrives_is_sent_and_delivered(aws: &Aws) -> Checked {
    let (_, events) = events(aws, SUCCESS, 2).await?;
    holds(of_type(&events, "Send")?["send"].is_object(), "no send object")?;
    of_type(&events, "Delivery").map(drop)
}

async fn a_mail_that_bounces_says_so(aws: &Aws) -> Checked {
    let address = "bounce@simulator.amazonses.com";
    let (_, events) = events(aws, address, 2).await?;
    of_type(&events, "Send")?;
    let bounce = &of_type(&events, "Bounce")?["bounce"];
    same("bounceType", bounce["bounceType"].as_str(), Some("Permanent"))?;
    same("bounceSubType", bounce["bounceSubType"].as_str(), Some("General"))?;
    let recipient = &bounce["bouncedRecipients"][0];
    same("address", recipient["emailAddress"].as_str(), Some(address))?;
    same("action", recipient["action"].as_str(), Some("failed"))?;
    holds(recipient["diagnosticCode"].is_string(), "no diagnosis")?;
    holds(bounce["feedbackId"].is_string() && is_instant(&bounce["timestamp"]), "no id, or no time")
}

async fn a_complaint_says_so(aws: &Aws) -> Checked {
    let address = "complaint@simulator.amazonses.com";
    let (_, events) = events(aws, address, 3).await?;
    let complaint = &of_type(&events, "Complaint")?["complaint"];
    let recipient = &complaint["complainedRecipients"][0];
    same("address", recipient["emailAddress"].as_str(), Some(address))?;
    holds(complaint["feedbackId"].is_string() && is_instant(&complaint["timestamp"]), "no id, or no time")
}

async fn a_suppressed_address_bounces(aws: &Aws) -> Checked {
    let (_, events) = events(aws, "suppressionlist@simulator.amazonses.com", 2).await?;
    let bounce = &of_type(&events, "Bounce")?["bounce"];
    same("bounceType", bounce["bounceType"].as_str(), Some("Permanent"))?;
    same("bounceSubType", bounce["bounceSubType"].as_str(), Some("Suppressed"))
}

async fn a_label_changes_nothing(aws: &Aws) -> Checked {
    let (_, events) = events(aws, "bounce+any-1@simulator.amazonses.com", 2).await?;
    of_type(&events, "Bounce").map(drop)
}

async fn an_event_carries_the_mails_tags(aws: &Aws) -> Checked {
    let (_, events) = events(aws, SUCCESS, 2).await?;
    let tags = &of_type(&events, "Delivery")?["mail"]["tags"];
    same("tag", tags["delivery"][0].as_str(), Some("dlv_1-a"))?;
    holds(tags["ses:configuration-set"][0].is_string(), "SES's own tags lack")
}

async fn an_event_carries_the_mails_id(aws: &Aws) -> Checked {
    let (id, events) = events(aws, SUCCESS, 2).await?;
    let found = of_type(&events, "Send")?["mail"]["messageId"].as_str();
    holds(found == Some(&id), if found.is_some() { "another id" } else { "no id" })
}

async fn an_event_describes_the_mail(aws: &Aws) -> Checked {
    let (_, events) = events(aws, SUCCESS, 2).await?;
    let mail = &of_type(&events, "Send")?["mail"];
    holds(is_instant(&mail["timestamp"]), format!("timestamp {}", mail["timestamp"]))?;
    holds(mail["source"].as_str().is_some_and(|source| source.contains(&aws.from)), "another source")?;
    same("destination", mail["destination"][0].as_str(), Some(SUCCESS))?;
    let subject = mail["headers"].as_array().into_iter().flatten().find(|header| header["name"] == "Subject");
    same("subject", subject.and_then(|header| header["value"].as_str()), Some("Hello"))?;
    same("common subject", mail["commonHeaders"]["subject"].as_str(), Some("Hello"))
}

async fn a_delivery_describes_itself(aws: &Aws) -> Checked {
    let (_, events) = events(aws, SUCCESS, 2).await?;
    let delivery = &of_type(&events, "Delivery")?["delivery"];
    holds(is_instant(&delivery["timestamp"]), format!("timestamp {}", delivery["timestamp"]))?;
    same("recipient", delivery["recipients"][0].as_str(), Some(SUCCESS))?;
    holds(delivery["smtpResponse"].is_string() && delivery["processingTimeMillis"].is_number(), "no answer, or no time")
}

async fn a_mail_without_configuration_set_has_no_events(aws: &Aws) -> Checked {
    let road = road(aws).await?;
    aws.mail(SUCCESS).send().await?;
    aws.pass(2).await;
    aws.nothing_comes(&road.queue).await?;
    // Nothing came because there was no set, and not because nothing ever comes.
    aws.mail(SUCCESS).configuration_set_name(&road.configuration_set).send().await?;
    if aws.is_ours() {
        aws.pass(10).await;
    }
    aws.gather(&road.queue, 1).await.map(drop)
}

/// `2017-08-05T00:40:02.012Z`.
fn is_instant(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok())
}
