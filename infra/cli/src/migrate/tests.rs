use std::collections::BTreeMap as Map;
use std::sync::Arc;

use dunlin_aws::commands::Commands;
use dunlin_aws::control::Control;
use dunlin_aws::runs::Runs;
use dunlin_core::call::Properties;
use dunlin_core::condition::Facts;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{EventId, UserId};
use dunlin_core::profile::Profile;
use dunlin_core::run::start;
use dunlin_core::task::{Lane, TriggerEvent};
use dunlin_core::wait::Zone;
use dunlin_local::World;

use super::*;
use crate::admin::tests::serve;
use crate::keys::Keys;
use crate::project::{DEMO, Place};

fn version(steps: &str) -> Campaign {
    let text = format!(
        "id: cmp_trial\nname: Trial\nkind: workflow\ntrigger: {{event: Go}}\nfrom: a@example.com\nmessages:\n  a: {{subject: A, text: '{{{{ url.unsubscribe }}}}'}}\nsteps:\n{steps}"
    );
    campaign::parse("trial.yaml", &text, &Map::new()).expect("a campaign")
}

/// Two versions; three runs wait in the first, and one in the second.
async fn with_runs() -> (World, Migrate) {
    let keys = Keys::generate();
    let (world, door) = serve(&keys).await;
    let place = Place::find_or_make(&world).await.expect("a project");
    let control = Control::new(world.clients(), &world.settings().prefix);
    let steps =
        ["- {name: pause, wait: 9 days}\n- {send: a}\n", "- {name: pause, wait: 9 days}\n- {name: mail, send: a}\n"];
    for (round, steps) in steps.into_iter().enumerate() {
        let campaign = version(steps);
        let head = control.publish(&place.id, &campaign, world.cloud().clock().now()).await.expect("published");
        let published = head.with(Arc::new(campaign));
        for n in 0..[3, 1][round] {
            begin(&world, &published, &format!("{round}-{n}")).await;
        }
    }
    let asked = Migrate {
        campaign: "cmp_trial".to_owned(),
        project: DEMO.to_owned(),
        to: None,
        moves: Vec::new(),
        ends: Vec::new(),
        same: false,
        yes: false,
        json: true,
        door,
    };
    (world, asked)
}

async fn begin(world: &World, published: &dunlin_core::trigger::Published, name: &str) {
    let (user, now) = (UserId::parse(name).expect("a user"), world.cloud().clock().now());
    let event_name = EventName::parse("Go").expect("a name");
    let event = TriggerEvent { id: EventId::derive(&[name]), name: event_name, at: now, data: Properties::new() };
    let project = ProjectId::parse(DEMO).expect("a project");
    let profile = Profile::new(user.clone());
    let facts = Facts::new(&profile, &event, now);
    let moved = start(published, project, user, event.clone(), Lane::Triggered, &facts, &Zone::default());
    let (clients, settings) = (world.clients(), world.settings());
    Runs::new(clients, &settings.prefix).put(&moved.run, 0).await.expect("stored");
    let commands = Commands::new(clients, settings);
    commands.carry_out(&moved.run, &moved.commands, true, || now).await.expect("carried out");
}

async fn found(asked: &Migrate) -> Vec<(u32, String, u64)> {
    let client = asked.door.open().expect("a client");
    let base = format!("/manage/v1/projects/{DEMO}/campaigns/cmp_trial");
    let found = count(&client, &base).await.expect("counts");
    found.into_iter().map(|Waiting { version, step, runs }| (version, step, runs)).collect()
}

fn at(version: u32, step: &str, runs: u64) -> (u32, String, u64) {
    (version, step.to_owned(), runs)
}

#[tokio::test]
async fn nothing_is_done_without_yes_and_all_that_was_shown_with_it() {
    let (_world, asked) = with_runs().await;
    for asked in [asked.clone(), Migrate { same: true, ..asked.clone() }] {
        assert_eq!(migrate(asked.clone()).await.expect("shown"), Outcome::Well);
        assert_eq!(found(&asked).await, [at(1, "pause", 3), at(2, "pause", 1)]);
    }
    let asked = Migrate { same: true, yes: true, json: false, ..asked };
    for _ in 0..2 {
        assert_eq!(migrate(asked.clone()).await.expect("done"), Outcome::Well);
        assert_eq!(found(&asked).await, [at(2, "pause", 4)]);
    }
}

#[tokio::test]
async fn runs_are_ended_where_that_is_said_and_only_those_of_other_versions() {
    let (_world, asked) = with_runs().await;
    let asked = Migrate { ends: vec!["pause".to_owned()], yes: true, ..asked };
    assert_eq!(migrate(asked.clone()).await.expect("done"), Outcome::Well);
    assert_eq!(found(&asked).await, [at(2, "pause", 1)]);
}

#[tokio::test]
async fn a_step_that_is_nowhere_is_refused_before_anything_is_done() {
    let (_world, asked) = with_runs().await;
    let pair = |from: &str, to: &str| vec![(from.to_owned(), to.to_owned())];
    let error =
        migrate(Migrate { moves: pair("puase", "pause"), yes: true, ..asked.clone() }).await.expect_err("refused");
    assert_eq!(error.to_string(), "no run of another version than 2 waits at `puase`; there are some at `pause`");
    let asked = Migrate { moves: pair("pause", "mial"), yes: true, ..asked };
    assert_eq!(migrate(asked.clone()).await.expect("refused"), Outcome::Unwell);
    assert_eq!(found(&asked).await, [at(1, "pause", 3), at(2, "pause", 1)]);
}

#[test]
fn what_is_said_of_a_step_goes_before_what_is_said_of_all() {
    let campaign = version("- {name: pause, wait: 9 days}\n- {name: later, wait: 1 day}\n- {name: mail, send: a}\n");
    let asked = crate::args::tests::parse("dunlin migrate cmp_trial --same --move pause=mail --end old");
    let Some(crate::args::Command::Migrate(asked)) = asked.command else { panic!("not a migration") };
    let waiting = |version, step: &str| Waiting { version, step: step.to_owned(), runs: 1 };
    let found = ["pause", "later", "old", "gone"].map(|step| waiting(1, step));
    let moves = plan::moves(&asked, (2, &campaign), &found).expect("moves");
    let fates: Vec<Fate<'_>> = found.iter().map(|waiting| waiting.fate(&moves, 2)).collect();
    assert_eq!(fates, [Fate::Go("mail"), Fate::Go("later"), Fate::End, Fate::Stay]);
    assert_eq!(waiting(2, "pause").fate(&moves, 2), Fate::There);
}
