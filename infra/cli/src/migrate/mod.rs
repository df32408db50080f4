//! `dunlin migrate`: who is where in a campaign, and the way of runs to another version, through `manage`.

pub(crate) mod args;
mod plan;

use std::collections::BTreeMap;

use anyhow::Context as _;
use dunlin_core::campaign::{self, Campaign};
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::run::Migration;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::args::Migrate;
use self::plan::{Fate, Moves, Waiting};
use crate::admin::accepted;
use crate::client::Client;
use crate::run::Outcome;
use crate::{check, say};

/// A page of counts, as `manage` answers.
#[derive(Deserialize)]
struct Counts {
    waiting: Vec<Waiting>,
    unreadable: u64,
    next: Option<String>,
}

/// A campaign with the content of one version, as `manage` shows it.
#[derive(Deserialize)]
struct Shown {
    shown_version: u32,
    content: Value,
}

/// What became of the runs of a page, or of all so far.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    moved: u64,
    ended: u64,
    skipped: BTreeMap<String, u64>,
    #[serde(skip_serializing)]
    next: Option<String>,
}

/// Shows who is where; or what would become of them; or does it.
pub(crate) async fn migrate(asked: Migrate) -> anyhow::Result<Outcome> {
    let (project, campaign) = (ProjectId::parse(&asked.project)?, CampaignId::parse(&asked.campaign)?);
    let client = asked.door.open()?;
    let base = format!("/manage/v1/projects/{project}/campaigns/{campaign}");
    let (to, content) = version(&client, &base, asked.to).await?;
    let found = count(&client, &base).await?;
    let moves = plan::moves(&asked, (to, &content), &found)?;
    let is_asked = asked.same || !moves.is_empty();
    let wanted = Migration { to_version: to, moves: moves.clone(), from_versions: None };
    let problems = if moves.is_empty() { Vec::new() } else { wanted.problems(&content) };
    if !problems.is_empty() {
        check::show(&problems);
        return Ok(Outcome::Unwell);
    }
    if !(is_asked && asked.yes) {
        show(&asked, &found, &moves, to)?;
        if is_asked {
            say::aside("nothing was done: --yes does it");
        }
        return Ok(Outcome::Well);
    }
    carry_out(&client, &format!("{base}/runs/migrate"), (&moves, to), asked.json).await
}

/// A version of the campaign, or the newest.
async fn version(client: &Client, base: &str, version: Option<u32>) -> anyhow::Result<(u32, Campaign)> {
    let query = version.map(|version| format!("?version={version}")).unwrap_or_default();
    let shown: Shown = accepted(&client.send(Method::GET, &format!("{base}{query}"), None).await?)?;
    let campaign = campaign::from_json(shown.content);
    let campaign = campaign.ok().context("the campaign does not read: is it of another version of dunlin?")?;
    Ok((shown.shown_version, campaign))
}

/// How many wait where, over all pages.
async fn count(client: &Client, base: &str) -> anyhow::Result<Vec<Waiting>> {
    let (spinner, mut found, mut unreadable) = (say::spinner("counting"), BTreeMap::<_, u64>::new(), 0);
    let mut cursor = String::new();
    loop {
        let counts: Counts = accepted(&client.send(Method::GET, &format!("{base}/runs{cursor}"), None).await?)?;
        for Waiting { version, step, runs } in counts.waiting {
            *found.entry((version, step)).or_default() += runs;
        }
        unreadable += counts.unreadable;
        let Some(next) = counts.next else { break };
        cursor = format!("?{}", form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &next).finish());
    }
    spinner.finish_and_clear();
    if unreadable > 0 {
        say::aside(format!("{unreadable} rows of the project do not read, and are not counted"));
    }
    Ok(found.into_iter().map(|((version, step), runs)| Waiting { version, step, runs }).collect())
}

/// The table of who is where, with what would become of them where something is asked.
fn show(asked: &Migrate, found: &[Waiting], moves: &Moves, to: u32) -> anyhow::Result<()> {
    if found.is_empty() && !asked.json {
        say::aside("no run waits");
    }
    for waiting in found {
        if asked.json {
            say::line(serde_json::to_string(waiting)?);
            continue;
        }
        let what = match waiting.fate(moves, to) {
            Fate::There | Fate::Stay if moves.is_empty() => String::new(),
            Fate::There => say::dim("is there"),
            Fate::Stay => say::yellow("stays"),
            Fate::End => say::red("ends"),
            Fate::Go(step) => say::green(format!("goes to `{step}` of version {to}")),
        };
        let Waiting { version, step, runs } = waiting;
        say::line(format!("version {version:<4} {step:<24} {runs:>10} runs  {what}").trim_end());
    }
    Ok(())
}

/// Moves them page by page, telling how many are done.
async fn carry_out(client: &Client, path: &str, (moves, to): (&Moves, u32), as_json: bool) -> anyhow::Result<Outcome> {
    let (mut all, mut cursor) = (Done::default(), None::<String>);
    while !moves.is_empty() {
        let body = json!({ "to_version": to, "moves": moves, "cursor": cursor });
        let answer = client.send(Method::POST, path, Some(&body)).await?;
        let stopped = || format!("stopped when {} were moved and {} ended: repeat it", all.moved, all.ended);
        let page: Done = accepted(&answer).with_context(stopped)?;
        all.add(&page);
        say::aside(format!("{} moved, {} ended", all.moved, all.ended));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if as_json {
        say::line(serde_json::to_string(&all)?);
    } else {
        say::line(format!("{} moved to version {to}, {} ended", all.moved, all.ended));
    }
    let left: Vec<String> = all
        .skipped
        .iter()
        .filter(|(_, runs)| **runs > 0)
        .map(|(why, n)| format!("{n} {}", why.replace('_', " ")))
        .collect();
    if left.is_empty() {
        return Ok(Outcome::Well);
    }
    say::aside(format!("left as they were: {}; repeat it in a minute", left.join(", ")));
    Ok(Outcome::Unwell)
}

impl Done {
    fn add(&mut self, page: &Self) {
        self.moved += page.moved;
        self.ended += page.ended;
        for (why, runs) in &page.skipped {
            *self.skipped.entry(why.clone()).or_default() += runs;
        }
    }
}

#[cfg(test)]
mod tests;
