//! What is to become of the runs at each step, before anything is done.

use std::collections::BTreeMap;

use anyhow::bail;
use dunlin_core::campaign::Campaign;
use serde::{Deserialize, Serialize};

use super::args::Migrate;

/// Runs that wait at one step of one version, as `manage` counts them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) version: u32,
    pub(super) step: String,
    pub(super) runs: u64,
}

/// Where the runs at a step go, by the step's name; none ends them.
pub(super) type Moves = BTreeMap<String, Option<String>>;

/// What becomes of the runs at one step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate<'m> {
    /// They are of the version that others go to.
    There,
    Stay,
    Go(&'m str),
    End,
}

/// What is asked, against the steps at which runs of other versions than `to` wait.
pub(super) fn moves(asked: &Migrate, (to, campaign): (u32, &Campaign), found: &[Waiting]) -> anyhow::Result<Moves> {
    let elsewhere = || found.iter().filter(|waiting| waiting.version != to).map(|waiting| waiting.step.as_str());
    let mut moves = Moves::new();
    if asked.same {
        let same = elsewhere().filter(|step| campaign.step(step).is_some());
        moves.extend(same.map(|step| (step.to_owned(), Some(step.to_owned()))));
    }
    let named = asked.moves.iter().map(|(from, to)| (from, Some(to.clone())));
    for (from, goes) in named.chain(asked.ends.iter().map(|step| (step, None))) {
        if !elsewhere().any(|step| step == from) {
            let mut steps: Vec<String> = elsewhere().map(|step| format!("`{step}`")).collect();
            steps.dedup();
            bail!("no run of another version than {to} waits at `{from}`; there are some at {}", steps.join(", "));
        }
        moves.insert(from.clone(), goes);
    }
    Ok(moves)
}

impl Waiting {
    /// What becomes of these runs.
    pub(super) fn fate<'m>(&self, moves: &'m Moves, to: u32) -> Fate<'m> {
        match moves.get(&self.step) {
            _ if self.version == to => Fate::There,
            None => Fate::Stay,
            Some(None) => Fate::End,
            Some(Some(step)) => Fate::Go(step),
        }
    }
}
