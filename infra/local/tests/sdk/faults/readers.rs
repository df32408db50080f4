//! Whether the data layer's readers see everything when DynamoDB answers in parts.

use dunlin_aws::parked::{Parked, ParkedTask};
use dunlin_aws::runs::Runs;
use dunlin_aws::timers::{SHARDS, Stretch, Timer, Timers};
use dunlin_aws::{Chance, Clients, Clock};
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{CampaignId, EventId, ProjectId, RunId, UserId};
use dunlin_core::run::{EndReason, Run, RunState};
use dunlin_core::task::TriggerEvent;
use dunlin_local::{Cloud, Fault, FaultKind as Kind, Service, When};
use jiff::SignedDuration;

use crate::start;

fn setting(seed: u64) -> (Cloud, Clients) {
    let clock = Clock::virtual_at(start());
    let cloud = Cloud::in_memory(clock.clone(), seed).unwrap();
    let clients = Clients::in_process(cloud.http_client(), clock, Chance::seeded(seed));
    (cloud, clients)
}

fn run(n: usize) -> Run {
    let project = ProjectId::derive(&["p"]);
    Run {
        id: RunId::derive(&[&n.to_string()]),
        project,
        user: UserId::parse("ada").unwrap(),
        campaign: CampaignId::derive(&["c"]),
        version: 1,
        event: TriggerEvent {
            id: EventId::derive(&["e"]),
            name: EventName::parse("signed up").unwrap(),
            at: start(),
            data: Default::default(),
        },
        started_at: start(),
        moves: 1,
        lane: dunlin_core::task::Lane::default(),
        state: RunState::Ended { at: start(), reason: EndReason::Completed },
        journey: Default::default(),
        heard: Default::default(),
        answer: None,
        goal: None,
        last_commands: vec![],
    }
}

#[tokio::test]
async fn a_page_of_timers_that_dynamodb_cuts_short_is_read_to_its_end() {
    for seed in 0..4 {
        let (cloud, clients) = setting(seed);
        let timers = Timers::new(&clients, "dunlin-");
        let project = ProjectId::derive(&["p"]);
        for n in 0..60 {
            let run = RunId::derive(&[&format!("{n}")]);
            let due_at = start() + SignedDuration::from_secs(n % 7);
            timers.put(&Timer { project: project.clone(), run, moves: 1, due_at }).await.unwrap();
        }
        cloud.faults().set(vec![Fault::new(Kind::ShortPage, When::Chance(0.7))]);
        let before = start() - SignedDuration::from_secs(1);
        let stretch = Stretch::next(before, start() + SignedDuration::from_mins(1)).unwrap();
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let mut behind: Option<String> = None;
            loop {
                let page = timers.list(stretch, shard, behind.as_deref(), 3).await.unwrap();
                found.extend(page.timers.into_iter().map(|timer| timer.run));
                behind = page.next;
                if behind.is_none() {
                    break;
                }
            }
        }
        let seen = found.len();
        found.sort();
        found.dedup();
        assert_eq!((seen, found.len()), (60, 60));
        assert!(!cloud.faults().injected().is_empty());
    }
}

#[tokio::test]
async fn a_list_that_dynamodb_cuts_short_is_whole() {
    for seed in 0..4 {
        let (cloud, clients) = setting(seed);
        let parked = Parked::new(&clients, "dunlin-");
        for n in 0..9 {
            parked.put(&ParkedTask::new("steps", &n.to_string(), "{}", "poison", start())).await.unwrap();
        }
        cloud.faults().set(vec![Fault::new(Kind::ShortPage, When::Chance(0.8))]);
        assert_eq!(parked.list(None, 100).await.unwrap().len(), 9);
        assert_eq!(parked.list(None, 4).await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn runs_that_dynamodb_leaves_unprocessed_are_asked_for_again() {
    for seed in 0..4 {
        let (cloud, clients) = setting(seed);
        let runs = Runs::new(&clients, "dunlin-");
        let keys: Vec<_> = (0..20).map(run).map(|run| (run.project.clone(), run.id.clone())).collect();
        for n in 0..20 {
            runs.put(&run(n), 0).await.unwrap();
        }
        cloud.faults().set(vec![Fault::new(Kind::Unprocessed, When::Chance(1.0)).at(Service::DynamoDb).times(3)]);
        let mut found: Vec<RunId> = runs.list(&keys).await.unwrap().into_iter().map(|run| run.id).collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 20);
        assert_eq!(cloud.faults().injected().len(), 3);
    }
}

#[tokio::test]
async fn a_run_that_is_asked_for_twice_is_found_once() {
    let (_, clients) = setting(1);
    let runs = Runs::new(&clients, "dunlin-");
    runs.put(&run(1), 0).await.unwrap();
    let key = (run(1).project, run(1).id);
    assert_eq!(runs.list(&[key.clone(), key]).await.unwrap(), [run(1)]);
}
