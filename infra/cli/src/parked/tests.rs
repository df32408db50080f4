use std::cell::RefCell;

use aws_sdk_dynamodb::types::AttributeValue;
use dunlin_aws::parked::{self as rows, ParkedTask};
use dunlin_local::World;
use jiff::Timestamp;

use super::args::Which;
use super::*;
use crate::admin::Door;
use crate::admin::tests::serve;
use crate::keys::Keys;

/// A dunlin with five tasks of two queues.
async fn with_tasks() -> (World, Door) {
    let (world, door) = serve(&Keys::generate()).await;
    for n in 0..5 {
        let (queue, reason) = if n < 3 { ("steps", "does not parse: a & b") } else { ("feedback", "no such thing") };
        let task = ParkedTask::new(queue, &n.to_string(), "{}", reason, Timestamp::UNIX_EPOCH);
        rows(&world).put(&task).await.expect("parked");
    }
    (world, door)
}

fn rows(world: &World) -> rows::Parked {
    rows::Parked::new(world.clients(), &world.settings().prefix)
}

async fn left(world: &World) -> usize {
    rows(world).list(None, 100).await.expect("a page").len()
}

fn all(door: &Door, which: Which) -> Change {
    Change { ids: Vec::new(), which, yes: false, json: false, door: door.clone() }
}

fn quiet(_: String) {}

fn of(kind: &str) -> Which {
    Which { kind: Some(kind.to_owned()), ..Which::default() }
}

#[tokio::test]
async fn many_are_changed_only_when_somebody_agrees_and_only_those_that_were_meant() {
    let (world, door) = with_tasks().await;
    let no = |question: &str| Ok(!question.starts_with("2 tasks will be discarded"));
    assert_eq!(change(&all(&door, of("feedback")), Verb::Discard, no, quiet).await.expect("done"), Outcome::Unwell);
    assert_eq!(left(&world).await, 5);
    assert_eq!(
        change(&all(&door, of("feedback")), Verb::Discard, |_| Ok(true), quiet).await.expect("done"),
        Outcome::Well
    );
    assert_eq!(left(&world).await, 3);
    let reason = Which { reason: Some("parse: a & b".to_owned()), ..Which::default() };
    let redrive = Change { yes: true, ..all(&door, reason) };
    let nobody = |_: &str| bail!("nobody is asked with --yes");
    assert_eq!(change(&redrive, Verb::Redrive, nobody, quiet).await.expect("done"), Outcome::Well);
    assert_eq!(left(&world).await, 0);
    assert_eq!(world.cloud().sqs().depth("dunlin-steps").total(), 3);
}

#[tokio::test]
async fn many_are_changed_a_hundred_at_a_time_and_each_hundred_is_told() {
    let (world, door) = with_tasks().await;
    for n in 0..245 {
        let task = ParkedTask::new("steps", &format!("more-{n}"), "{}", "does not parse", Timestamp::UNIX_EPOCH);
        rows(&world).put(&task).await.expect("parked");
    }
    let told = RefCell::new(Vec::new());
    let tell = |text| told.borrow_mut().push(text);
    let redrive = Change { yes: true, ..all(&door, Which::default()) };
    assert_eq!(change(&redrive, Verb::Redrive, |_| Ok(false), tell).await.expect("done"), Outcome::Well);
    assert_eq!(told.into_inner(), ["100 redriven", "200 redriven", "250 redriven"]);
    assert_eq!((left(&world).await, world.cloud().sqs().depth("dunlin-steps").total()), (0, 248));
}

#[tokio::test]
async fn what_stops_on_the_way_says_how_far_it_came() {
    let (world, door) = with_tasks().await;
    for n in 0..145 {
        let task = ParkedTask::new("steps", &format!("more-{n}"), "{}", "does not parse", Timestamp::UNIX_EPOCH);
        rows(&world).put(&task).await.expect("parked");
    }
    // A row behind all others that nobody can read.
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let row = world.clients().dynamodb.put_item().table_name("dunlin-parked").item("pk", text("parked"));
    row.item("sk", text("prk_z")).item("body", text("nonsense")).send().await.expect("put");
    let redrive = Change { yes: true, ..all(&door, of("steps")) };
    let error = change(&redrive, Verb::Redrive, |_| Ok(false), quiet).await.expect_err("stopped");
    assert!(error.to_string().starts_with("stopped when 100 were redriven"), "{error:#}");
}

#[tokio::test]
async fn one_that_is_gone_is_told_by_the_exit_code_and_keeps_no_other() {
    let (world, door) = with_tasks().await;
    let mut ids: Vec<String> =
        rows(&world).list(None, 2).await.expect("a page").into_iter().map(|task| task.id.into()).collect();
    ids.insert(1, "prk_gone".to_owned());
    let discard = Change { ids, ..all(&door, Which::default()) };
    assert_eq!(change(&discard, Verb::Discard, |_| Ok(false), quiet).await.expect("done"), Outcome::Unwell);
    assert_eq!(left(&world).await, 3);
}

#[tokio::test]
async fn a_list_and_a_task_are_shown_and_what_is_no_id_is_refused() {
    let (world, door) = with_tasks().await;
    let asked = List { which: of("steps"), limit: 2, json: true, door: door.clone() };
    assert_eq!(list(&asked).await.expect("a list"), Outcome::Well);
    let id = rows(&world).list(None, 1).await.expect("a page").remove(0).id;
    let show_it = |id: &str| Show { id: id.to_owned(), json: false, door: door.clone() };
    assert_eq!(show(&show_it(id.as_str())).await.expect("a task"), Outcome::Well);
    assert!(show(&show_it("prk_gone")).await.is_err());
    assert!(show(&show_it("../projects")).await.is_err());
}
