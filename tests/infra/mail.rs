//! Mail: the configuration set, and the way of SES's events to the feedback queue.

use std::collections::BTreeSet;

use dunlin_aws::resources::{CONFIGURATION_SET, FEEDBACK, FEEDBACK_EVENTS};

use crate::template::Template;

#[test]
fn mails_are_sent_with_the_configuration_set_that_the_code_names() {
    let template = Template::read();
    template.named("AWS::SES::ConfigurationSet", "Name", &format!("dunlin-{CONFIGURATION_SET}"));
}

#[test]
fn every_event_that_the_ledger_waits_for_reaches_the_feedback_queue_unwrapped() {
    let template = Template::read();
    let destinations = template.resources("AWS::SES::ConfigurationSetEventDestination");
    let destination = &destinations["MailEvents"]["Properties"]["EventDestination"];
    let types = destination["MatchingEventTypes"].as_array().expect("types");
    let events: BTreeSet<String> = types.iter().filter_map(|one| one.as_str()).map(str::to_lowercase).collect();
    // CloudFormation writes `deliveryDelay` for SES's `DELIVERY_DELAY`. Opens and clicks are our own (`link`).
    let wanted: BTreeSet<String> = FEEDBACK_EVENTS.iter().map(|one| one.replace('_', "").to_lowercase()).collect();
    assert_eq!((events, &destination["Enabled"]), (wanted, &true.into()));
    let topic = template.text(&destination["SnsDestination"]["TopicARN"]);
    let subscriptions = template.resources("AWS::SNS::Subscription");
    let to_queue = subscriptions.values().map(|one| &one["Properties"]).find(|one| one["Protocol"] == "sqs");
    let to_queue = to_queue.expect("a subscription of a queue");
    assert_eq!((template.text(&to_queue["TopicArn"]), &to_queue["RawMessageDelivery"]), (topic, &true.into()));
    let queue = template.text(&to_queue["Endpoint"]);
    let queue = &template.document["Resources"][queue.trim_end_matches(".Arn")]["Properties"]["QueueName"];
    assert_eq!(template.text(queue), format!("dunlin-{}", FEEDBACK.name()));
}

#[test]
fn only_ses_fills_the_topic_and_only_the_topic_fills_the_queue_from_outside() {
    let template = Template::read();
    let of = |kind: &str, id: &str| {
        let statements = &template.resources(kind)[id]["Properties"]["PolicyDocument"]["Statement"];
        assert_eq!(statements.as_array().map(Vec::len), Some(1), "{id}");
        (statements[0]["Principal"]["Service"].clone(), statements[0]["Condition"].to_string())
    };
    let (publisher, condition) = of("AWS::SNS::TopicPolicy", "MailTopicPolicy");
    assert_eq!(publisher, "ses.amazonaws.com");
    assert!(condition.contains("AWS:SourceAccount"), "{condition}");
    let (sender, condition) = of("AWS::SQS::QueuePolicy", "ReportsPolicy");
    assert_eq!(sender, "sns.amazonaws.com");
    assert!(condition.contains("MailTopic"), "{condition}");
}
