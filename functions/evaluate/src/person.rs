//! One person's calls: load, fold, decide, store, act.

use std::collections::BTreeSet;

use dunlin_aws::runs::Runs;
use dunlin_aws::{Error, Kind, Stored};
use dunlin_core::call::{Action, Call};
use dunlin_core::condition::Facts;
use dunlin_core::ids::{EventId, UserId};
use dunlin_core::profile::rename::rename;
use dunlin_core::profile::{Profile, Stamp, counts_as};
use dunlin_core::run::{RunState, Transition, start};
use dunlin_core::task::TriggerEvent;
use dunlin_core::trigger::entries;

use crate::Evaluate;

impl Evaluate {
    /// Takes one person's calls in order. Everything may be done again: a call that was taken changes nothing, and the
    /// runs it starts have its id.
    pub(crate) async fn take(&self, calls: &[&Call]) -> Result<(), Error> {
        for part in calls.split_inclusive(|call| matches!(call.action, Action::Reidentify { .. })) {
            let (updates, new_id) = match part.split_last() {
                Some((call, before)) if matches!(call.action, Action::Reidentify { .. }) => (before, Some(*call)),
                _ => (part, None),
            };
            if !updates.is_empty() {
                self.update(updates).await?;
            }
            if let Some(call) = new_id {
                self.rename(call).await?;
            }
        }
        Ok(())
    }

    /// Calls that concern one profile: one read, one write, whatever their number.
    async fn update(&self, calls: &[&Call]) -> Result<(), Error> {
        let Some(first) = calls.first() else { return Ok(()) };
        let (project, live) = (&first.project, self.catalog.live(&first.project).await?);
        let mut stored = self.profiles.get(project, &first.user).await?;
        let (mut changed, mut transitions) = (false, Vec::new());
        let recorded = self.recorded(&stored.state, calls).await?;
        for call in calls {
            if !stored.state.seen().contains(call) && !recorded.contains(&call.id) {
                stored.state.apply(call);
                changed = true;
            }
            if let Some(event) = trigger(&stored.state, call) {
                let facts = Facts { profile: &stored.state, event: &event, now: call.accepted_at };
                for entry in entries(&event, call.accepted_at, &facts, &live.campaigns) {
                    if entry.decision.passed() {
                        let user = stored.state.id.clone();
                        transitions.push(start(
                            entry.published,
                            project.clone(),
                            user,
                            event.clone(),
                            &facts,
                            call.accepted_at,
                        ));
                    }
                }
            }
        }
        if changed {
            self.store(first, &mut stored).await?;
        }
        for call in calls.iter().filter(|call| matches!(call.action, Action::Delete)) {
            for id in std::iter::once(&stored.state.id).chain(stored.state.former()) {
                self.profiles.erase_activity(project, id, call.at).await?;
            }
        }
        for transition in transitions {
            self.begin(&self.runs, transition).await?;
        }
        Ok(())
    }

    /// The calls in the activity, where one of these may be older than what the profile itself remembers.
    async fn recorded(&self, profile: &Profile, calls: &[&Call]) -> Result<BTreeSet<EventId>, Error> {
        let unsure =
            |call: &&&Call| !profile.seen().contains(call) && profile.seen().may_have_forgotten(call.accepted_at);
        match calls.iter().find(unsure) {
            Some(call) => self.profiles.recorded(&call.project, profile).await,
            None => Ok(BTreeSet::new()),
        }
    }

    async fn store(&self, first: &Call, stored: &mut Stored<Profile>) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(chunk) = stored.state.unload_activity(now) {
            // Before the profile lets go of it; the same chunk again is the same item.
            self.profiles.put_activity(&first.project, &stored.state.id, &chunk, now).await?;
        }
        self.profiles.put(&first.project, stored, now).await
    }

    async fn rename(&self, call: &Call) -> Result<(), Error> {
        let Action::Reidentify { new_id } = &call.action else { return Ok(()) };
        let from = self.profiles.get(&call.project, &call.user).await?;
        let to = self.profiles.get(&call.project, new_id).await?;
        let mut versions: Vec<(UserId, u64)> =
            vec![(from.state.id.clone(), from.version), (to.state.id.clone(), to.version)];
        if versions.iter().all(|(id, _)| id != new_id) {
            versions.push((new_id.clone(), self.profiles.version(&call.project, new_id).await?));
        }
        let before = from.state.clone();
        let renamed = rename(from.state, to.state, new_id, Stamp::of(call));
        if renamed.aliases.is_empty() || renamed.profile == before {
            return Ok(());
        }
        self.profiles.rename(&call.project, &versions, &renamed, self.clock.now()).await
    }

    /// Stores a run that waits and carries out its commands; a run that is over at once needs no row.
    async fn begin(&self, runs: &Runs, transition: Transition) -> Result<(), Error> {
        let Transition { run, commands } = transition;
        let now = || self.clock.now();
        if matches!(run.state, RunState::Ended { .. }) {
            return self.commands.carry_out(&run, &commands, false, now).await;
        }
        match runs.put(&run, 0).await {
            Ok(()) => self.commands.carry_out(&run, &commands, true, now).await,
            Err(error) if error.kind == Kind::Conflict => {
                let Some(there) = runs.get(&run.project, &run.id).await? else { return Err(error) };
                self.commands.carry_out(&there.state, &there.state.last_commands, true, now).await
            }
            Err(error) => Err(error),
        }
    }
}

/// The event that a call is to campaigns, unless it is erased already.
fn trigger(profile: &Profile, call: &Call) -> Option<TriggerEvent> {
    let name = counts_as(call)?;
    if !profile.remembers(call.at) {
        return None;
    }
    let data = match &call.action {
        Action::Track { data, .. } => data.clone(),
        Action::Identify { properties, .. } => properties.clone(),
        _ => return None,
    };
    Some(TriggerEvent { id: call.id.clone(), name, at: call.at, data })
}
