//! Stages with something broken on purpose, through the SDK, in process and in virtual time.

use std::fs;
use std::net::Ipv4Addr;

use aws_sdk_sqs::types::QueueAttributeName;
use dunlin_aws::Clock;
use dunlin_aws::parked::{Parked, ParkedTask};
use dunlin_aws::resources::{BUCKET, DEFAULT_PREFIX, EVENTS, SENDS, TIMERS};
use dunlin_local::{Cloud, Fault, FaultKind, When, World};
use jiff::{SignedDuration, Timestamp};

use super::report::{Finding, Health, Report};
use super::stage::{self, Stage};
use super::{front, here};
use crate::dev::folder;
use crate::examples;
use crate::keys::Keys;
use crate::project::tests::Scratch;
use crate::project::{Place, settings};

/// A dunlin that has just swept, with a project and campaigns.
async fn healthy() -> World {
    let start: Timestamp = "2026-03-01T09:00:00Z".parse().expect("an instant");
    let cloud = Cloud::in_memory(Clock::virtual_at(start), 1).expect("a cloud");
    let world = World::new(cloud, settings(&Keys::generate(), "http://localhost:9000").expect("settings"), 1);
    let place = Place::find_or_make(&world).await.expect("a project");
    place.publish(&examples::built_in().campaigns).await.expect("published");
    world.sweep().await;
    world
}

/// What is found of it, as a stage behind `prefix`.
async fn looked(world: &World, prefix: &str, is_aws: bool) -> Report {
    let bucket = format!("{prefix}{BUCKET}");
    let stage = Stage {
        clients: world.clients().clone(),
        prefix: prefix.to_owned(),
        bucket,
        aws_cli: "aws".to_owned(),
        is_aws,
    };
    let mut report = Report::default();
    stage::look(&stage, &mut report).await;
    report
}

async fn look(world: &World) -> Report {
    looked(world, DEFAULT_PREFIX, false).await
}

fn found<'r>(report: &'r Report, check: &str) -> &'r Finding {
    report.find(check).unwrap_or_else(|| panic!("no check `{check}` in {report:?}"))
}

#[tokio::test]
async fn a_dunlin_that_works_is_well() {
    let report = look(&healthy().await).await;
    assert_eq!(report.not_well(), [], "{report:?}");
    assert_eq!(found(&report, "project prj_demo").found, ["8 campaigns, 0 of them paused; 1 tokens"]);
}

#[tokio::test]
async fn a_missing_queue_is_wrong_and_the_rest_is_still_looked_at() {
    let world = healthy().await;
    let url = world.settings().queue_url(SENDS);
    world.clients().sqs.delete_queue().queue_url(url).send().await.expect("deleted");
    let report = look(&world).await;
    assert_eq!(report.not_well(), [("queue dunlin-sends", Health::Wrong)]);
    let queue = found(&report, "queue dunlin-sends");
    assert_eq!((queue.found[0].as_str(), queue.mend[0].contains("start `dunlin` again")), ("is not there", true));
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_asked_once() {
    let world = healthy().await;
    world.cloud().faults().set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0))]);
    let report = look(&world).await;
    let first = ["table dunlin-profiles", "queue dunlin-events.fifo", "bucket dunlin-store", "SES account"];
    let wrong: Vec<&str> =
        report.not_well().into_iter().filter(|(_, health)| *health == Health::Wrong).map(|(check, _)| check).collect();
    assert_eq!(wrong, first);
    assert_eq!(found(&report, "the other tables").health, Health::Unknown);
}

#[tokio::test]
async fn a_dead_letter_is_wrong_and_the_command_that_puts_it_back_is_said() {
    let world = healthy().await;
    let url = format!("{}/dunlin-sends-dead", world.settings().queues);
    world.clients().sqs.send_message().queue_url(url).message_body("poison").send().await.expect("sent");
    let report = look(&world).await;
    assert_eq!(report.not_well(), [("queue dunlin-sends-dead", Health::Wrong)]);
    let mend = &found(&report, "queue dunlin-sends-dead").mend[0];
    assert!(mend.ends_with("--source-arn arn:aws:sqs:us-east-1:000000000000:dunlin-sends-dead"), "{mend}");
}

#[tokio::test]
async fn a_queue_that_is_set_otherwise_is_wrong() {
    let world = healthy().await;
    let set = world.clients().sqs.set_queue_attributes().queue_url(world.settings().queue_url(SENDS));
    let set = set.attributes(QueueAttributeName::VisibilityTimeout, "20");
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dunlin-steps-dead","maxReceiveCount":"3"}"#;
    set.attributes(QueueAttributeName::RedrivePolicy, policy).send().await.expect("set");
    let report = look(&world).await;
    assert_eq!(report.not_well(), [("queue dunlin-sends", Health::Wrong)]);
    let found = found(&report, "queue dunlin-sends").found.join("; ");
    for part in ["after 20 s, not 120 s", "not to dunlin-sends-dead", "after 3 receives, not 1000"] {
        assert!(found.contains(part), "{found}");
    }
}

#[tokio::test]
async fn a_sweep_that_stands_still_is_seen_before_timers_are_late() {
    let world = healthy().await;
    let clock = world.cloud().clock();
    clock.advance_to(clock.now() + SignedDuration::from_mins(4));
    let sweeps = ["sweep of due timers", "sweep of overdue runs"];
    assert_eq!(look(&world).await.not_well(), sweeps.map(|sweep| (sweep, Health::Warning)));
    clock.advance_to(clock.now() + SignedDuration::from_mins(30));
    let report = look(&world).await;
    assert_eq!(report.not_well(), sweeps.map(|sweep| (sweep, Health::Wrong)));
    assert_eq!(found(&report, sweeps[0]).found, ["it is 34 minutes behind"]);
}

#[tokio::test]
async fn a_check_that_needs_a_missing_table_says_so() {
    let world = healthy().await;
    let name = format!("{DEFAULT_PREFIX}{}", TIMERS.name);
    world.clients().dynamodb.delete_table().table_name(&name).send().await.expect("deleted");
    let report = look(&world).await;
    let sweeps = [("sweep of due timers", Health::Unknown), ("sweep of overdue runs", Health::Unknown)];
    assert_eq!(report.not_well(), [&[("table dunlin-timers", Health::Wrong)][..], &sweeps].concat());
    assert_eq!(found(&report, "sweep of due timers").found, ["the table of timers cannot be read"]);
}

#[tokio::test]
async fn parked_tasks_are_a_warning() {
    let world = healthy().await;
    let now = world.cloud().clock().now();
    let task = ParkedTask::new("sends", "message", "text", "it does not parse", now);
    Parked::new(world.clients(), DEFAULT_PREFIX).put(&task).await.expect("parked");
    assert_eq!(look(&world).await.not_well(), [("parked tasks", Health::Warning)]);
}

#[tokio::test]
async fn of_another_prefix_everything_is_missing() {
    let report = looked(&healthy().await, "dunlin-prod-", true).await;
    let queue = found(&report, "queue dunlin-prod-events.fifo");
    assert_eq!((queue.health, &queue.found[0][..]), (Health::Wrong, "is not there"));
    assert!(queue.mend[0].contains("--prefix"), "{queue:?}");
    for check in ["table dunlin-prod-runs", "bucket dunlin-prod-store", "SES configuration set dunlin-prod-mail"] {
        assert_eq!(found(&report, check).health, Health::Wrong, "{check}");
    }
    assert_eq!(found(&report, "SES events").health, Health::Unknown);
}

#[tokio::test]
async fn in_aws_more_is_asked() {
    let report = looked(&healthy().await, DEFAULT_PREFIX, true).await;
    let table = found(&report, "table dunlin-profiles");
    assert_eq!(table.health, Health::Warning);
    assert_eq!(table.found[1..], ["no deletion protection", "no point-in-time recovery"]);
    assert_eq!(found(&report, "queue dunlin-events.fifo").health, Health::Ok);
    assert_eq!(found(&report, "queue dunlin-feedback").health, Health::Wrong, "no policy for SNS");
    assert_eq!(found(&report, "bucket dunlin-store").found[1], "no lifecycle: copies of mails stay for ever");
    assert_eq!(found(&report, "SES identities").found, ["no domain or address is verified: SES takes no mail"]);
}

#[tokio::test]
async fn a_slow_fifo_queue_is_a_warning() {
    let world = healthy().await;
    let url = world.settings().queue_url(EVENTS);
    let slower = world.clients().sqs.set_queue_attributes().queue_url(url);
    slower.attributes(QueueAttributeName::DeduplicationScope, "queue").send().await.expect("set");
    let report = looked(&world, DEFAULT_PREFIX, true).await;
    assert_eq!(found(&report, "queue dunlin-events.fifo").health, Health::Warning);
}

#[tokio::test]
async fn a_front_door_takes_its_own_admin_key_only() {
    let keys = Keys::generate();
    let cloud = Cloud::in_memory(Clock::System, 1).expect("a cloud");
    let world = World::new(cloud, settings(&keys, "http://localhost:9000").expect("settings"), 1);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move { axum::serve(listener, world.router()).await });
    for (key, health) in [(&keys.admin_key, Health::Ok), (&Keys::generate().admin_key, Health::Wrong)] {
        let mut report = Report::default();
        front::look(&url, Some(key), "start it", &mut report).await;
        assert_eq!(found(&report, "front door").health, Health::Ok);
        assert_eq!(found(&report, "admin key").health, health);
    }
    served.abort();
    drop(served.await);
    let mut report = Report::default();
    front::look(&url, Some(&keys.admin_key), "start it", &mut report).await;
    assert_eq!(report.not_well(), [("front door", Health::Wrong), ("admin key", Health::Unknown)]);
    assert_eq!(found(&report, "front door").mend, ["start it"]);
}

#[test]
fn a_folder_is_asked_for_its_keys_and_who_holds_it() {
    let scratch = Scratch::new("doctor-folder");
    let data = scratch.path().join("data");
    let look = || {
        let mut report = Report::default();
        let keys = here::look_at_folder(&data, &mut report);
        (report, keys.is_some())
    };
    let (report, _) = look();
    assert_eq!(report.not_well()[0], ("data folder", Health::Wrong));
    assert_eq!(found(&report, "keys").health, Health::Unknown);

    let held = folder::hold(&data).expect("held");
    assert_eq!(look().0.not_well(), [("keys", Health::Wrong)], "there are none yet");
    Keys::read_or_make(&data).expect("keys");
    let (report, has_keys) = look();
    assert!(report.not_well().is_empty() && has_keys, "{report:?}");
    drop(held);
    assert_eq!(look().0.not_well(), [("process", Health::Wrong)]);
    assert!(folder::hold(&data).is_ok(), "looking leaves no lock");
}

#[cfg(unix)]
#[test]
fn keys_that_others_may_read_are_a_warning_and_damaged_ones_wrong() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("doctor-keys");
    Keys::read_or_make(scratch.path()).expect("keys");
    let _held = folder::hold(scratch.path()).expect("held");
    let path = scratch.path().join("keys.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
    let mut report = Report::default();
    here::look_at_folder(scratch.path(), &mut report);
    assert_eq!(report.not_well(), [("keys", Health::Warning)]);
    assert!(found(&report, "keys").mend[0].starts_with("chmod 600"));
    fs::write(&path, "{").expect("written");
    let mut report = Report::default();
    here::look_at_folder(scratch.path(), &mut report);
    assert_eq!(report.not_well(), [("keys", Health::Wrong)]);
}
