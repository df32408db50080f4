//! Each function's policy is what the function does: nothing it needs is missing, and nothing it may is unused.

use std::collections::BTreeSet;

use dunlin_aws::clients::Warm;
use dunlin_aws::{Chance, Clients, Clock};
use dunlin_local::{Cloud, World};
use dunlin_tests::Stage;
use serde_json::Value;

use crate::functions::FUNCTIONS;
use crate::story;
use crate::template::Template;
use crate::watched::{Log, Use};

/// What each function opens at init.
const WARM: [(&str, Warm); 9] = [
    ("intake", dunlin_intake::WARM),
    ("evaluate", dunlin_evaluate::WARM),
    ("schedule", dunlin_schedule::WARM),
    ("sweep", dunlin_sweep::WARM),
    ("send", dunlin_send::WARM),
    ("hook", dunlin_hook::WARM),
    ("feedback", dunlin_feedback::WARM),
    ("link", dunlin_link::WARM),
    ("manage", dunlin_manage::WARM),
];

/// What Lambda's poller does in the name of a function that reads a queue.
const POLLER: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

#[tokio::test]
async fn every_function_may_do_what_it_does_and_nothing_else() {
    let used = used().await;
    let template = Template::read();
    let mut allowed = BTreeSet::new();
    for (stem, _) in FUNCTIONS {
        allowed.extend(granted(&template, stem));
    }
    let missing: Vec<_> = used.difference(&allowed).collect();
    let unused: Vec<_> = allowed.difference(&used).collect();
    assert!(missing.is_empty(), "used, and not allowed by infra/template.yaml: {missing:#?}");
    assert!(unused.is_empty(), "allowed by infra/template.yaml, and not used: {unused:#?}");
}

/// The SDK's requests that the data layer could make, and what IAM calls them.
const REQUESTS: [(&str, &str); 19] = [
    (".get_item()", "dynamodb:GetItem"),
    (".put_item()", "dynamodb:PutItem"),
    (".update_item()", "dynamodb:UpdateItem"),
    (".delete_item()", "dynamodb:DeleteItem"),
    (".query()", "dynamodb:Query"),
    (".scan()", "dynamodb:Scan"),
    (".batch_get_item()", "dynamodb:BatchGetItem"),
    (".batch_write_item()", "dynamodb:BatchWriteItem"),
    (".transact_write_items()", "dynamodb:ConditionCheckItem"),
    (".send_message()", "sqs:SendMessage"),
    (".send_message_batch()", "sqs:SendMessage"),
    (".change_message_visibility()", "sqs:ChangeMessageVisibility"),
    (".change_message_visibility_batch()", "sqs:ChangeMessageVisibility"),
    (".get_queue_attributes()", "sqs:GetQueueAttributes"),
    (".put_object()", "s3:PutObject"),
    (".get_object()", "s3:GetObject"),
    (".delete_object()", "s3:DeleteObject"),
    (".list_objects_v2()", "s3:ListBucket"),
    (".send_email()", "ses:SendEmail"),
];

#[tokio::test]
async fn the_story_comes_by_every_request_that_the_data_layer_makes() {
    let seen: BTreeSet<String> = used().await.into_iter().map(|one| one.action).collect();
    let folder = std::fs::read_dir(dunlin_tests::root().join("shared/aws/src")).expect("the data layer");
    let sources: Vec<String> =
        folder.filter_map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).ok()).collect();
    let made = |request: &str| sources.iter().any(|source| source.contains(request));
    for (request, action) in REQUESTS.iter().filter(|(request, _)| made(request)) {
        assert!(seen.contains(*action), "{request} is made somewhere, and not in the story");
    }
}

/// The rights of the requests that functions make in the story.
pub(crate) async fn asked() -> BTreeSet<Use> {
    let log = Log::default();
    let cloud = Cloud::in_memory(Clock::virtual_at(dunlin_tests::start()), 1).expect("a cloud");
    let world = World::wired(cloud.clone(), dunlin_tests::settings(), clients(&log, &cloud));
    story::play(&Stage::over(world, 1).await).await;
    log.uses().into_iter().filter(|one| one.function != "world").collect()
}

/// Clients for each function, whose requests are written down.
fn clients(log: &Log, cloud: &Cloud) -> impl Fn(&'static str) -> Clients {
    let chance = Chance::seeded(1);
    move |function| Clients::in_process(log.watch(function, cloud.http_client()), cloud.clock().clone(), chance.clone())
}

/// The rights of what functions ask for at init.
async fn warmed() -> BTreeSet<Use> {
    let log = Log::default();
    let cloud = Cloud::in_memory(Clock::virtual_at(dunlin_tests::start()), 1).expect("a cloud");
    let clients = clients(&log, &cloud);
    for (function, warm) in WARM {
        clients(function).warm(&dunlin_tests::settings(), warm).await;
    }
    log.uses()
}

/// The rights that functions need at init and in the story, and those of Lambda's pollers.
async fn used() -> BTreeSet<Use> {
    let mut used = asked().await;
    used.extend(warmed().await);
    let read = |function: dunlin_local::Function| function.queues().iter().map(move |queue| (function, queue));
    for (function, queue) in dunlin_local::Function::ALL.into_iter().flat_map(read) {
        let resource = format!("dunlin-{}", queue.name());
        used.extend(POLLER.map(|action| Use {
            function: function.name().to_owned(),
            action: action.to_owned(),
            resource: resource.clone(),
        }));
    }
    // A missing object is told from a forbidden one only to those who may list (GetObject's reference).
    let list = |function: &str| Use {
        function: function.to_owned(),
        action: "s3:ListBucket".to_owned(),
        resource: "bucket".to_owned(),
    };
    used.extend([list("link"), list("manage"), list("sweep")]);
    used
}

/// What a function's policy allows.
fn granted(template: &Template, stem: &str) -> BTreeSet<Use> {
    let function = &template.function(stem)["Properties"];
    assert_eq!(function["Policies"].as_array().map(Vec::len), Some(1), "{stem}: one policy");
    let statements = function["Policies"][0]["Statement"].as_array().expect("statements");
    let mut granted = BTreeSet::new();
    for statement in statements {
        assert_eq!(statement["Effect"], "Allow", "{stem}");
        for resource in resources(template, &statement["Resource"]) {
            for action in statement["Action"].as_array().expect("actions") {
                let action = action.as_str().expect("an action").to_owned();
                assert!(!action.contains('*'), "{stem}: {action}");
                granted.insert(Use { function: stem.to_owned(), action, resource: resource.clone() });
            }
        }
    }
    granted
}

/// The names of what a statement is about, as [`Use`] has them.
fn resources(template: &Template, resource: &Value) -> Vec<String> {
    let all: Vec<&Value> = resource.as_array().map_or_else(|| vec![resource], |many| many.iter().collect());
    all.into_iter().filter_map(|one| name(template, &template.text(one))).collect()
}

fn name(template: &Template, arn: &str) -> Option<String> {
    if let Some((_, identity)) = arn.split_once(":identity/") {
        // A project's senders are any identities of the account that are verified.
        assert_eq!(identity, "*");
        return None;
    }
    if let Some((_, set)) = arn.split_once(":configuration-set/") {
        return Some(template.text(&template.document["Resources"][set]["Properties"]["Name"]));
    }
    let (id, behind) = arn.split_once(".Arn").expect("an ARN of ours");
    let properties = &template.document["Resources"][id]["Properties"];
    let name = ["TableName", "QueueName"].iter().map(|name| &properties[*name]).find(|name| !name.is_null());
    let prefix = behind.trim_end_matches('*');
    Some(name.map_or_else(|| format!("bucket{prefix}"), |name| template.text(name)))
}
