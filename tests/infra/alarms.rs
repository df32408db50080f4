//! Alarms: every queue, function and line of log that an operator must hear of.

use std::collections::BTreeSet;
use std::path::Path;

use dunlin_aws::resources::QUEUES;
use dunlin_core::status;
use serde_json::Value;

use crate::functions::FUNCTIONS;
use crate::template::Template;

/// The names that an alarm's metrics are about.
fn subjects(template: &Template, alarm: &str, metric: &str) -> BTreeSet<String> {
    let metrics = &template.named("AWS::CloudWatch::Alarm", "AlarmName", &format!("dunlin-{alarm}"))["Metrics"];
    let all = metrics.as_array().expect("metrics").iter().map(|one| &one["MetricStat"]["Metric"]);
    let named = all.filter(|one| one["MetricName"] == metric).map(|one| template.text(&one["Dimensions"][0]["Value"]));
    named.map(|id| name_of(template, id.trim_end_matches(".QueueName"))).collect()
}

fn name_of(template: &Template, id: &str) -> String {
    let properties = &template.document["Resources"][id]["Properties"];
    let name = ["QueueName", "FunctionName"].iter().map(|name| &properties[*name]).find(|name| !name.is_null());
    name.map(|name| template.text(name).trim_start_matches("dunlin-").to_owned()).unwrap_or_default()
}

#[test]
fn somebody_hears_of_every_dead_letter_and_every_message_that_waits_too_long() {
    let template = Template::read();
    let dead: BTreeSet<String> = QUEUES.iter().map(|queue| queue.dead_letter_name()).collect();
    assert_eq!(subjects(&template, "dead-letters", "ApproximateNumberOfMessagesVisible"), dead);
    let mut aged = subjects(&template, "queue-age", "ApproximateAgeOfOldestMessage");
    aged.extend(subjects(&template, "step-age", "ApproximateAgeOfOldestMessage"));
    aged.extend(subjects(&template, "backlog-age", "ApproximateAgeOfOldestMessage"));
    assert_eq!(aged, QUEUES.iter().map(|queue| queue.name()).collect());
}

#[test]
fn somebody_is_called_when_the_status_page_has_said_that_something_is_late_for_as_long_as_it_takes_to_be_stuck() {
    let template = Template::read();
    for (name, late) in [("queue-age", status::LATE), ("step-age", status::STEP_LATE)] {
        let alarm = template.named("AWS::CloudWatch::Alarm", "AlarmName", &format!("dunlin-{name}"));
        assert_eq!(alarm["Threshold"], late.as_secs(), "{name}");
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold", "{name}");
        let minutes = [&alarm["EvaluationPeriods"], &alarm["DatapointsToAlarm"]];
        assert_eq!(minutes.map(Value::as_i64), [Some(status::STUCK.as_mins()); 2], "{name}");
        for metric in alarm["Metrics"].as_array().expect("metrics").iter().filter(|one| !one["MetricStat"].is_null()) {
            assert_eq!(
                (&metric["MetricStat"]["Stat"], &metric["MetricStat"]["Period"]),
                (&"Maximum".into(), &60.into())
            );
        }
    }
    let schedule =
        std::fs::read_to_string(dunlin_tests::root().join("functions/schedule/src/lib.rs")).expect("schedule");
    assert!(schedule.contains("late > LATE") && schedule.contains("status::LATE"), "timers-late counts by the same");
}

#[test]
fn somebody_hears_of_every_function_that_fails_or_is_throttled() {
    let template = Template::read();
    let functions: BTreeSet<String> = FUNCTIONS.iter().map(|(stem, _)| (*stem).to_owned()).collect();
    assert_eq!(subjects(&template, "errors", "Errors"), functions);
    assert_eq!(subjects(&template, "throttles", "Throttles"), functions);
}

#[test]
fn every_alarm_is_told_and_stays_silent_while_nothing_happens() {
    let template = Template::read();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    assert!(alarms.len() >= 10, "{}", alarms.len());
    for (id, alarm) in alarms {
        let properties = &alarm["Properties"];
        assert_eq!(template.text(&properties["AlarmActions"][0]), "AlarmTopic", "{id}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{id}");
        assert!(!template.text(&properties["AlarmDescription"]).is_empty(), "{id}");
    }
}

#[test]
fn every_line_of_log_that_an_alarm_looks_for_is_one_that_the_function_writes() {
    let template = Template::read();
    let filters = template.resources("AWS::Logs::MetricFilter");
    let alarms: BTreeSet<String> = template
        .resources("AWS::CloudWatch::Alarm")
        .values()
        .map(|one| template.text(&one["Properties"]["MetricName"]))
        .collect();
    assert!(filters.len() >= 4);
    for (id, filter) in filters {
        let properties = &filter["Properties"];
        let pattern = template.text(&properties["FilterPattern"]);
        let line = pattern.split('"').nth(1).unwrap_or_else(|| panic!("{id}: {pattern}")).to_owned();
        let group = template.text(&properties["LogGroupName"]);
        let stem = group.trim_end_matches("Log").to_lowercase();
        let sources = ["shared/aws/src".to_owned(), format!("functions/{stem}/src")];
        let written = sources.iter().any(|folder| writes(&dunlin_tests::root().join(folder), &format!("\"{line}\"")));
        assert!(written, "{id}: {stem} does not write \"{line}\"");
        let metric = template.text(&properties["MetricTransformations"][0]["MetricName"]);
        assert!(alarms.contains(&metric), "{id}: no alarm for {metric}");
    }
}

/// Whether a source file in a folder has this text.
fn writes(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).any(|path| {
        if path.is_dir() {
            writes(&path, text)
        } else {
            std::fs::read_to_string(&path).is_ok_and(|source| source.contains(text))
        }
    })
}

#[test]
fn the_dashboard_is_one_that_cloudwatch_reads() {
    let template = Template::read();
    let body =
        template.text(&template.resources("AWS::CloudWatch::Dashboard")["Dashboard"]["Properties"]["DashboardBody"]);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert!(body["widgets"].as_array().is_some_and(|widgets| widgets.len() >= 9));
}
