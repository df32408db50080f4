//! `dunlin parked`: tasks that could not be done as they are, through `manage`.

pub(crate) mod args;
mod walk;

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};
use dunlin_aws::Clock;
use dunlin_core::ids::ParkedId;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::args::{Act, Change, List, Parked, Show};
use self::walk::Walk;
use crate::admin::accepted;
use crate::client::Client;
use crate::run::Outcome;
use crate::say;

/// A parked task, as `manage` shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    id: String,
    queue: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    reason: String,
    at: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Does what is asked.
pub(crate) async fn parked(asked: Parked) -> anyhow::Result<Outcome> {
    match asked.act {
        Act::List(list) => self::list(&list).await,
        Act::Show(show) => self::show(&show).await,
        Act::Redrive(change) => self::change(&change, Verb::Redrive, answered, say::aside).await,
        Act::Discard(change) => self::change(&change, Verb::Discard, answered, say::aside).await,
    }
}

async fn list(asked: &List) -> anyhow::Result<Outcome> {
    let client = asked.door.open()?;
    let (mut walk, mut shown) = (Walk::new(&client, Method::GET, "/parked", &asked.which, None), 0);
    while let Some(page) = walk.next(asked.limit - shown).await? {
        for task in &page {
            task.line(asked.json)?;
        }
        shown += page.len();
        if shown >= asked.limit {
            say::aside(format!("these are {shown}; there may be more: --limit"));
            return Ok(Outcome::Well);
        }
    }
    if shown == 0 {
        say::aside("no such task is parked");
    }
    Ok(Outcome::Well)
}

async fn show(asked: &Show) -> anyhow::Result<Outcome> {
    let id = ParkedId::parse(&asked.id)?;
    let task: Task = accepted(&asked.door.open()?.send(Method::GET, &format!("/manage/v1/parked/{id}"), None).await?)?;
    if asked.json {
        task.line(true)?;
        return Ok(Outcome::Well);
    }
    for (name, value) in [
        ("id", task.id.as_str()),
        ("queue", &task.queue),
        ("project", task.project.as_deref().unwrap_or("not told by the text")),
        ("parked at", &task.at),
        ("reason", &task.reason),
    ] {
        say::line(format!("{}  {value}", say::bold(format!("{name:<9}"))));
    }
    say::line(format!("\n{}", task.body.unwrap_or_default()));
    Ok(Outcome::Well)
}

/// What may be done to many.
#[derive(Clone, Copy)]
enum Verb {
    Redrive,
    Discard,
}

impl Verb {
    const fn done(self) -> &'static str {
        match self {
            Self::Redrive => "redriven",
            Self::Discard => "discarded",
        }
    }

    /// How `manage` is asked to do it to one.
    fn one(self, id: &ParkedId) -> (Method, String) {
        match self {
            Self::Redrive => (Method::POST, format!("/manage/v1/parked/{id}/redrive")),
            Self::Discard => (Method::DELETE, format!("/manage/v1/parked/{id}")),
        }
    }

    /// How `manage` is asked to do it to a page.
    const fn many(self) -> (Method, &'static str) {
        match self {
            Self::Redrive => (Method::POST, "/parked/redrive"),
            Self::Discard => (Method::DELETE, "/parked"),
        }
    }
}

/// Does it to those that are named, or to all that are meant, page by page, telling how many are done.
async fn change(
    asked: &Change,
    verb: Verb,
    agrees: impl Fn(&str) -> anyhow::Result<bool>,
    tell: impl Fn(String),
) -> anyhow::Result<Outcome> {
    let client = asked.door.open()?;
    if !asked.ids.is_empty() {
        return change_some(&client, asked, verb).await;
    }
    // What is parked from now on was not meant: a task that fails again is parked again.
    let before = Clock::System.now();
    if !asked.yes {
        let (mut count, mut walk) = (0, Walk::new(&client, Method::GET, "/parked", &asked.which, Some(before)));
        while let Some(page) = walk.next(usize::MAX).await? {
            count += page.len();
        }
        if count == 0 {
            say::aside("no such task is parked");
            return Ok(Outcome::Well);
        }
        if !agrees(&format!("{count} tasks will be {}. Go on? [y/N] ", verb.done()))? {
            say::aside("nothing was done");
            return Ok(Outcome::Unwell);
        }
    }
    let (method, path) = verb.many();
    let (mut count, mut walk) = (0, Walk::new(&client, method, path, &asked.which, Some(before)));
    let stopped = |count: usize| format!("stopped when {count} were {}: repeat it for the others", verb.done());
    while let Some(page) = walk.next(usize::MAX).await.with_context(|| stopped(count))? {
        for task in page.iter().filter(|_| asked.json) {
            task.line(true)?;
        }
        count += page.len();
        tell(format!("{count} {}", verb.done()));
    }
    Ok(Outcome::Well)
}

/// One after the other; what is not there any more does not keep the others.
async fn change_some(client: &Client, asked: &Change, verb: Verb) -> anyhow::Result<Outcome> {
    let ids = asked.ids.iter().map(|id| ParkedId::parse(id)).collect::<Result<Vec<_>, _>>()?;
    let mut outcome = Outcome::Well;
    for id in &ids {
        let (method, path) = verb.one(id);
        let answer = client.send(method, &path, None).await?;
        match accepted::<serde_json::Value>(&answer) {
            Ok(_) if asked.json => say::line(json!({ "id": id, verb.done(): true }).to_string()),
            Ok(_) => say::line(format!("{id}  {}", say::green(verb.done()))),
            Err(error) => {
                outcome = Outcome::Unwell;
                say::aside(format!("{id}  {error:#}"));
            }
        }
    }
    Ok(outcome)
}

/// Asks the person at the terminal; where there is none, `--yes` must say it.
fn answered(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here: give --yes");
    }
    say::ask(question);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

impl Task {
    fn line(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            say::line(serde_json::to_string(self)?);
        } else {
            let project = self.project.as_deref().unwrap_or("-");
            say::line(format!("{}  {}  {:<8}  {project}  {}", self.id, self.at, self.queue, self.reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
