//! What a standard queue takes.

use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};

use crate::aws::Aws;
use crate::documents::{sqs_api, sqs_guide};
use crate::queue::attribute;
use crate::rule::{Checked, Rule, holds, refused, rule, same, some};

const SEND: &str = sqs_api!("SendMessage");
const QUOTAS: &str = sqs_guide!("quotas-messages");
/// One mebibyte.
const MOST: usize = 1_048_576;

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_sent_message_is_received_as_it_was,
        "A message is received with its body and the id that `SendMessage` gave",
        SEND
    ),
    rule!(the_digest_of_the_body_is_given, "`SendMessage` answers with the MD5 of the body", SEND),
    rule!(a_delay_of_900_seconds_is_the_longest, "`DelaySeconds` may be 0 to 900, not 901 and not -1", SEND),
    rule!(
        a_delayed_message_comes_when_its_delay_has_passed,
        "A delayed message is not received before its delay has passed, and then is",
        SEND
    ),
    rule!(a_delay_of_15_minutes_is_kept, "The longest delay is kept to its end", SEND),
    rule!(a_body_of_1_mib_is_the_longest, "A body may have 1,048,576 bytes, and no byte more", QUOTAS),
    rule!(
        attributes_count_as_the_body_does,
        "Message attributes count against the 1 MiB",
        sqs_guide!("sqs-message-metadata")
    ),
    rule!(an_empty_body_is_refused, "A body has at least one character", SEND),
    rule!(characters_outside_of_xml_are_refused, "A character outside of XML's is `InvalidMessageContents`", SEND),
    rule!(every_character_of_xml_comes_back, "Every character of XML comes back as it was sent", SEND),
    rule!(
        a_standard_queue_takes_a_group,
        "A standard queue takes a `MessageGroupId`, and gives it to the receiver",
        sqs_guide!("sqs-fair-queues")
    ),
    rule!(
        attributes_come_back_when_asked_for,
        "Message attributes come back when asked for, and not otherwise",
        sqs_api!("ReceiveMessage")
    ),
    rule!(a_message_has_at_most_ten_attributes, "A message may have 10 attributes, and not 11", QUOTAS),
    rule!(
        a_missing_queue_is_said_to_be_missing,
        "A queue that is not there is `QueueDoesNotExist`",
        sqs_api!("GetQueueUrl")
    ),
];

fn trace(value: impl Into<String>) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("an attribute")
}

async fn a_sent_message_is_received_as_it_was(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let sent = aws.send(&queue, "hello").send().await?;
    let message = aws.one(&queue).await?;
    same("body", message.body(), Some("hello"))?;
    holds(message.message_id().is_some() && message.message_id() == sent.message_id(), "another id")
}

async fn the_digest_of_the_body_is_given(aws: &Aws) -> Checked {
    let sent = aws.send(&aws.queue().await?, "hello").send().await?;
    same("digest", sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"))
}

async fn a_delay_of_900_seconds_is_the_longest(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    for seconds in [0, 900] {
        aws.send(&queue, "x").delay_seconds(seconds).send().await?;
    }
    for seconds in [901, -1] {
        refused(aws.send(&queue, "x").delay_seconds(seconds).send().await, &["InvalidParameterValue"])?;
    }
    Ok(())
}

async fn a_delayed_message_comes_when_its_delay_has_passed(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "later").delay_seconds(2).send().await?;
    aws.nothing_comes(&queue).await?;
    aws.pass(2).await;
    same("body", aws.one(&queue).await?.body(), Some("later"))
}

async fn a_delay_of_15_minutes_is_kept(aws: &Aws) -> Checked {
    aws.has_minutes(15)?;
    let queue = aws.queue().await?;
    aws.send(&queue, "later").delay_seconds(900).send().await?;
    aws.pass(899).await;
    aws.nothing_comes(&queue).await?;
    aws.pass(1).await;
    aws.one(&queue).await.map(drop)
}

async fn a_body_of_1_mib_is_the_longest(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x".repeat(MOST)).send().await?;
    same("length", aws.one(&queue).await?.body().map(str::len), Some(MOST))?;
    refused(aws.send(&queue, "x".repeat(MOST + 1)).send().await, &[])
}

async fn attributes_count_as_the_body_does(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    // Name, type and value count.
    let body = "x".repeat(MOST - "trace".len() - "String".len() - 1);
    aws.send(&queue, &body).message_attributes("trace", trace("1")).send().await?;
    refused(aws.send(&queue, &body).message_attributes("trace", trace("12")).send().await, &[])
}

async fn an_empty_body_is_refused(aws: &Aws) -> Checked {
    refused(aws.send(&aws.queue().await?, "").send().await, &[])
}

async fn characters_outside_of_xml_are_refused(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    for character in ['\u{0}', '\u{1}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        let answer = aws.send(&queue, format!("a{character}b")).send().await;
        refused(answer, &["InvalidMessageContents"])?;
    }
    Ok(())
}

async fn every_character_of_xml_comes_back(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let body = "tab\t line\n return\r del\u{7f} é \u{d7ff}\u{e000}\u{fffd} 🐦\u{10ffff} <&>\"'";
    aws.send(&queue, body).send().await?;
    same("body", aws.one(&queue).await?.body(), Some(body))
}

async fn a_standard_queue_takes_a_group(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").message_group_id("prj_1").send().await?;
    let message = aws.one(&queue).await?;
    same("group", attribute(&message, MessageSystemAttributeName::MessageGroupId), Some("prj_1"))
}

async fn attributes_come_back_when_asked_for(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    let sent = aws.send(&queue, "x").message_attributes("trace", trace("1-abc")).send().await?;
    let message = aws.one(&queue).await?;
    let given = message.message_attributes().and_then(|attributes| attributes.get("trace"));
    same("value", given.and_then(MessageAttributeValue::string_value), Some("1-abc"))?;
    let digest = some("digest of the attributes", sent.md5_of_message_attributes())?;
    same("digest", message.md5_of_message_attributes(), Some(digest))?;
    aws.pass(crate::queue::HIDDEN).await;
    let again = aws.sqs.receive_message().queue_url(&queue.url).wait_time_seconds(1).send().await?;
    let again = some("message", again.messages.and_then(|messages| messages.into_iter().next()))?;
    holds(again.message_attributes.is_none(), "attributes that nobody asked for")?;
    holds(again.attributes.is_none(), "system attributes that nobody asked for")
}

async fn a_message_has_at_most_ten_attributes(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let attributes = |count: usize| Some((0..count).map(|n| (format!("a{n}"), trace("x"))).collect());
    aws.send(&queue, "x").set_message_attributes(attributes(10)).send().await?;
    refused(aws.send(&queue, "x").set_message_attributes(attributes(11)).send().await, &[])
}

async fn a_missing_queue_is_said_to_be_missing(aws: &Aws) -> Checked {
    let codes = &["QueueDoesNotExist", "NonExistentQueue"];
    let queue = aws.queue().await?;
    let nowhere = format!("{}-not", queue.url);
    refused(aws.sqs.get_queue_url().queue_name(aws.fresh("none")).send().await, codes)?;
    refused(aws.sqs.send_message().queue_url(&nowhere).message_body("x").send().await, codes)?;
    refused(aws.sqs.receive_message().queue_url(&nowhere).send().await, codes)
}
