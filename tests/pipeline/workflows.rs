//! The table of docs/workflows.md, cell by cell: each step, and what happens beside it. The stage begins at 9:00.

use dunlin_aws::queues::{Outgoing, Queue};
use dunlin_aws::resources::STEPS;
use dunlin_core::campaign;
use dunlin_core::hook::Answer;
use dunlin_core::run::{Run, RunState};
use dunlin_core::task::{Step, VERSION};
use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MINUTES: SignedDuration = SignedDuration::from_mins(1);

/// A workflow around one step; the mails are called by `version`. Steps that wait for something come at once, the others
/// behind an hour.
fn workflow(step: &str, version: &str) -> String {
    let (wait, body) = match step {
        "send" | "wait" => ("{wait: 1 hour},", "".to_owned()),
        "wait_for" => ("{wait: 30 minutes},", "{wait_for: {event: Came, match: {key: event.key}}, within: 1 hour, happened: yes, timed_out: no},".to_owned()),
        "wait_until" => ("{wait: 30 minutes},", "{wait_until: [{tag: came}], within: 1 hour, happened: yes, timed_out: no},".to_owned()),
        "webhook" => ("{wait: 39 minutes},", "{webhook: {url: 'https://example.com/'}, failed: no},".to_owned()),
        "filter" => ("{wait: 1 hour},", "{filter: [{property: user.plan, equals: pro}], else: no},".to_owned()),
        "branch" => ("{wait: 1 hour},", "{branch: [{when: [{property: user.plan, equals: pro}], to: yes}], else: no},".to_owned()),
        "split" => ("{wait: 1 hour},", "{split: [{percent: 100, to: yes}]},".to_owned()),
        "hold_out" => ("{wait: 1 hour},", "{hold_out: 0.01},".to_owned()),
        "update" => ("{wait: 1 hour},", "{update: {set: {done: true}}}, {wait: 1 minute}, {filter: [{property: user.done, equals: true}], else: no},".to_owned()),
        "track" => ("{wait: 1 hour},", "{track: Second}, {exit: over},".to_owned()),
        "start" => ("{wait: 1 hour},", "{start: cmp_second}, {exit: over},".to_owned()),
        "exit" => ("{wait: 1 hour},", "{exit: over},".to_owned()),
        other => panic!("{other}"),
    };
    format!(
        "{{id: cmp_first, name: First, kind: workflow, trigger: {{event: Go}},
          messages: {{yes: {{subject: '{version}yes', text: '{{{{ url.unsubscribe_link }}}}'}}, no: {{subject: '{version}no', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{wait} {body} {{name: yes, send: yes, next: over}}, {{name: no, send: no}}, {{name: over, exit: over}}]}}"
    )
}

/// What `track` and `start` start.
fn second(step: &str) -> String {
    let trigger = if step == "track" { "{event: Second}" } else { "{api: true}" };
    format!(
        "{{id: cmp_second, name: Second, kind: behavioural, trigger: {trigger}, message: {{subject: yes, text: '{{{{ url.unsubscribe_link }}}}'}}}}"
    )
}

/// Whether a step waits for something that comes.
fn awaits(step: &str) -> bool {
    matches!(step, "wait_for" | "wait_until" | "webhook")
}

struct Case {
    stage: Stage,
    step: &'static str,
    id: &'static str,
}

impl Case {
    async fn publish(&self, version: &str) {
        let yaml = workflow(self.step, version);
        let parsed =
            campaign::parse("x.yaml", &yaml, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let path = format!("/projects/{}/campaigns/{}", self.stage.project, parsed.id);
        let (status, answer) =
            self.stage.manage(Method::PUT, &path, &serde_json::to_value(&parsed).expect("json")).await;
        assert!(status.is_success(), "{answer}");
        self.stage.pass(SignedDuration::from_secs(6)).await;
    }

    async fn go(&self, extras: Value) {
        let body = json!({"identity": {"id": self.id}, "event_name": "Go", "data": {"key": 1}, "extras": extras});
        self.stage.call(Method::POST, "/events/track", body).await;
    }

    /// What the step waits for comes.
    async fn comes(&self) {
        match self.step {
            "wait_for" => self.stage.track(self.id, "Came", json!({"key": 1})).await,
            "wait_until" => {
                self.stage.call(Method::PUT, "/users/tags/edit", json!({"id": self.id, "add": ["came"]})).await;
            }
            "webhook" => self.answer().await,
            _ => {}
        }
    }

    /// The receiver of the webhook answers: what `hook` would say.
    async fn answer(&self) {
        let items = self.stage.world.clients().dynamodb.scan().table_name("dunlin-runs").send().await.expect("rows");
        let texts = items.items().iter().filter_map(|item| item.get("b")?.as_s().ok().cloned());
        for run in texts.filter_map(|text| serde_json::from_str::<Run>(&text).ok()) {
            if !matches!(run.state, RunState::Waiting { .. }) {
                continue;
            }
            let answer = Some(Box::new(Answer::of(200, b"{}")));
            let now = self.stage.world.cloud().clock().now();
            let (project, moves) = (run.project.clone(), run.moves);
            let step =
                Step { v: VERSION, project, run: run.id.clone(), moves, due_at: now, look: false, slot: None, answer };
            let queue = Queue::new(&self.stage.world.clients().sqs, self.stage.world.settings().queue_url(STEPS));
            queue.put(&[Outgoing::now(&run.project, &step).expect("a task")]).await.expect("put");
        }
    }

    async fn campaign(&self, method: Method, what: &str) {
        let path = format!("/projects/{}/campaigns/cmp_first{what}", self.stage.project);
        let (status, answer) = self.stage.manage(method, &path, &Value::Null).await;
        assert!(status.is_success(), "{what}: {answer}");
        self.stage.pass(SignedDuration::from_secs(6)).await;
    }

    /// Plays one cell: which mails left.
    async fn play(mut self, when: &str) -> String {
        self.stage.identify("ann", json!({"plan": "pro"})).await;
        if matches!(self.step, "track" | "start") {
            self.stage.publish(&second(self.step)).await;
        }
        if when == "early" && !awaits(self.step) {
            self.go(json!({})).await;
            self.stage.pass(MINUTES).await;
        }
        self.publish("").await;
        match when {
            _ if awaits(self.step) => self.go(json!({})).await,
            "early" | "never" => {}
            "late" => {
                let hour_ago = self.stage.world.cloud().clock().now() - 60 * MINUTES;
                self.go(json!({"created_at": hour_ago.to_string()})).await;
            }
            "twice" => {
                self.go(json!({})).await;
                self.go(json!({})).await;
            }
            _ => self.go(json!({})).await,
        }
        // A webhook can be answered only when it is asked, and is given up after some twenty minutes.
        let before = if self.step == "webhook" { 40 } else { 20 };
        self.stage.pass(before * MINUTES).await;
        if when == "early" {
            self.comes().await;
        }
        self.stage.pass((40 - before) * MINUTES).await;
        match when {
            "unsubscribed" => self.stage.call(Method::POST, "/users/unsubscribe", json!({"id": "ann"})).await,
            "person deleted" => self.stage.call(Method::POST, "/users/delete", json!({"id": "ann"})).await,
            "renamed" => {
                self.stage.call(Method::PUT, "/users/reidentify", json!({"id": "ann", "new_id": "anna"})).await;
                self.id = "anna";
            }
            "paused" => self.campaign(Method::POST, "/pause").await,
            "published" => self.publish("new ").await,
            "workflow deleted" => self.campaign(Method::DELETE, "").await,
            _ => {}
        }
        self.stage.pass(5 * MINUTES).await;
        if !matches!(when, "early" | "late" | "never") {
            self.comes().await;
        }
        if when == "twice" {
            self.stage.pass(MINUTES).await;
            self.comes().await;
        }
        if when == "paused" {
            self.stage.pass(24 * 60 * MINUTES).await;
            self.campaign(Method::POST, "/resume").await;
        }
        self.stage.pass(120 * MINUTES).await;
        if when == "late" {
            self.comes().await;
        }
        self.stage.pass(48 * 60 * MINUTES).await;
        self.stage.assert_at_rest().await;
        let mails: Vec<String> = self.stage.mails().into_iter().map(|mail| mail.subject).collect();
        if mails.is_empty() { "–".to_owned() } else { mails.join(", ") }
    }
}

/// The table as it is written: the columns' names, and each row's step and cells.
fn table() -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let text = std::fs::read_to_string(dunlin_tests::root().join("docs/workflows.md")).expect("docs/workflows.md");
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines =
        text.lines().skip_while(|line| !line.starts_with("| step")).take_while(|line| line.starts_with('|'));
    let columns = cells(lines.next().expect("a head")).split_off(1);
    let rows = lines.skip(1).map(|line| {
        let mut cells = cells(line);
        let rest = cells.split_off(1);
        (cells.remove(0), rest)
    });
    (columns, rows.collect())
}

/// Plays the cells of some steps.
async fn plays(steps: &[&'static str]) {
    let (columns, rows) = table();
    let mut wrong = Vec::new();
    for step in steps {
        let (_, cells) = rows.iter().find(|(name, _)| name == step).unwrap_or_else(|| panic!("no row {step}"));
        assert_eq!(cells.len(), columns.len());
        for (seed, (when, expected)) in columns.iter().zip(cells).enumerate() {
            let case = Case { stage: Stage::new(seed as u64).await, step, id: "ann" };
            let left = case.play(when).await;
            if left != *expected {
                wrong.push(format!("{step}, {when}: {left}, and the table says {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn mails_and_waits_are_as_the_table_says() {
    plays(&["send", "wait", "exit"]).await;
}

#[tokio::test]
async fn steps_that_wait_for_something_are_as_the_table_says() {
    plays(&["wait_for", "wait_until", "webhook"]).await;
}

#[tokio::test]
async fn choices_are_as_the_table_says() {
    plays(&["filter", "branch", "split", "hold_out"]).await;
}

#[tokio::test]
async fn deeds_are_as_the_table_says() {
    plays(&["update", "track", "start"]).await;
}

#[test]
fn every_step_there_is_has_a_row() {
    let text = "name: T\nkind: workflow\ntrigger: {event: E}\nmessages: {}\nsteps:\n- {name: nothing}\n";
    let problems = campaign::parse("x.yaml", text, &BTreeMap::new()).expect_err("a step that is none");
    let steps: Vec<&str> = problems[0].mend.split('`').skip(1).step_by(2).collect();
    let (_, rows) = table();
    assert!(steps.len() > 10, "{problems:?}");
    for step in steps {
        assert!(rows.iter().any(|(name, _)| name == step), "{step} has no row");
    }
}
