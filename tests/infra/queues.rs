//! Queues and what reads them.

use dunlin_aws::resources::{QUEUES, Queue, RETENTION_DAYS};
use dunlin_core::limits;
use dunlin_local::{Function, world};
use serde_json::{Value, json};

use crate::template::Template;

fn deployed<'a>(template: &'a Template, queue: &Queue) -> &'a Value {
    template.named("AWS::SQS::Queue", "QueueName", &format!("dunlin-{}", queue.name()))
}

#[test]
fn every_queue_of_the_code_is_deployed_with_its_times_and_no_other_is() {
    let template = Template::read();
    for queue in QUEUES {
        let properties = deployed(&template, &queue);
        assert_eq!(properties["VisibilityTimeout"], queue.visibility_seconds(), "{}", queue.stem);
        assert_eq!(properties["RedrivePolicy"]["maxReceiveCount"], queue.max_receive_count, "{}", queue.stem);
        assert_eq!(properties["MessageRetentionPeriod"], RETENTION_DAYS * 24 * 3600, "{}", queue.stem);
        assert_eq!(properties["FifoQueue"] == json!(true), queue.fifo, "{}", queue.stem);
        assert!(properties["ContentBasedDeduplication"].is_null(), "{}: intake says what a duplicate is", queue.stem);
    }
    assert_eq!(template.resources("AWS::SQS::Queue").len(), 2 * QUEUES.len());
}

#[test]
fn every_queue_has_its_own_dead_letter_queue_of_the_same_kind() {
    let template = Template::read();
    for queue in QUEUES {
        let target = template.text(&deployed(&template, &queue)["RedrivePolicy"]["deadLetterTargetArn"]);
        let id = target.strip_suffix(".Arn").expect("an ARN");
        let dead = &template.document["Resources"][id]["Properties"];
        assert_eq!(template.text(&dead["QueueName"]), format!("dunlin-{}", queue.dead_letter_name()));
        assert_eq!(dead["FifoQueue"] == json!(true), queue.fifo, "{id}");
        assert_eq!(dead["MessageRetentionPeriod"], RETENTION_DAYS * 24 * 3600, "{id}");
    }
}

#[test]
fn the_queues_of_calls_are_as_fast_as_a_fifo_queue_can_be() {
    let template = Template::read();
    for queue in QUEUES.iter().filter(|queue| queue.fifo) {
        let calls = deployed(&template, queue);
        assert_eq!(calls["DeduplicationScope"], "messageGroup", "{}", queue.stem);
        assert_eq!(calls["FifoThroughputLimit"], "perMessageGroupId", "{}", queue.stem);
    }
}

#[test]
fn every_reader_takes_batches_as_here_reports_what_failed_and_is_limited_by_maximum_concurrency() {
    let template = Template::read();
    let sources = template.resources("AWS::Lambda::EventSourceMapping");
    let read =
        Function::ALL.into_iter().flat_map(|function| function.queues().iter().map(move |queue| (function, queue)));
    let read: Vec<_> = read.collect();
    assert_eq!(sources.len(), read.len());
    for (function, queue) in read {
        let source_of = |source: &Value| {
            let id = template.text(&source["EventSourceArn"]);
            let id = id.strip_suffix(".Arn").expect("an ARN").to_owned();
            template.text(&template.document["Resources"][&id]["Properties"]["QueueName"])
        };
        let name = format!("dunlin-{}", queue.name());
        let source = sources.values().map(|one| &one["Properties"]).find(|source| source_of(source) == name);
        let source = source.unwrap_or_else(|| panic!("nobody reads {name}"));
        let reader = &template.document["Resources"][template.text(&source["FunctionName"])]["Properties"];
        assert_eq!(template.text(&reader["FunctionName"]), format!("dunlin-{}", function.name()), "{name}");
        let id = &name;
        assert_eq!(source["BatchSize"], world::BATCH, "{id}");
        assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
        // The least Lambda takes is 2 (CreateEventSourceMapping, ScalingConfig).
        let limit = template.text(&source["ScalingConfig"]["MaximumConcurrency"]);
        assert!(limit.parse::<u32>().is_ok_and(|limit| limit >= 2), "{id}: {limit}");
        assert_eq!(limit, queue.concurrency.to_string(), "{id}");
    }
}

#[test]
fn a_message_stays_hidden_for_six_time_outs_of_its_reader() {
    let template = Template::read();
    for (function, queue) in
        Function::ALL.into_iter().flat_map(|one| one.queues().iter().map(move |queue| (one, queue)))
    {
        let timeout = template.function(function.name())["Properties"]["Timeout"].as_u64().expect("a time-out");
        let hidden = deployed(&template, queue)["VisibilityTimeout"].as_u64().expect("a visibility time-out");
        assert!(hidden >= 6 * timeout, "{}: {hidden} s for a time-out of {timeout} s", queue.stem);
        assert_eq!(timeout, u64::from(queue.timeout_seconds), "{}", queue.stem);
    }
}

#[test]
fn what_one_project_can_have_in_flight_is_what_the_decision_says() {
    let decision = std::fs::read_to_string(dunlin_tests::root().join("docs/adr/0009-fairness.md")).expect("ADR 9");
    for queue in QUEUES {
        let in_flight = queue.concurrency as usize * world::BATCH;
        let row = format!("| `{}` | {} | {in_flight} |", queue.name(), queue.concurrency);
        assert!(decision.contains(&row), "{row}");
    }
    let turns = dunlin_aws::turns::TURNS;
    assert!(decision.contains(&format!("at most {turns} of a batch")), "{turns}");
    for number in [limits::SOFT_CALLS, limits::HARD_CALLS, limits::SHARE_CALLS] {
        assert!(decision.contains(&format!("{number} calls")), "{number}");
    }
    for starts in [limits::STARTS_PER_HOUR, limits::TRANSACTIONAL_STARTS_PER_HOUR] {
        assert!(decision.contains(&format!("{starts} runs")), "{starts}");
    }
}
