//! One person's calls: load, fold, decide, store, act.

use std::collections::BTreeSet;

use dunlin_aws::catalog::Live;
use dunlin_aws::resources::Queue;
use dunlin_aws::runs::{Runs, tell};
use dunlin_aws::{Error, Kind, Stored, planted, resources};
use dunlin_core::call::{Action, Call};
use dunlin_core::condition::Facts;
use dunlin_core::ids::{EventId, ProjectId, UserId};
use dunlin_core::profile::rename::rename;
use dunlin_core::profile::{Activity, Profile, Stamp, Start, counts_as};
use dunlin_core::run::{Run, RunState, Transition, start};
use dunlin_core::task::{Lane, TriggerEvent};
use dunlin_core::topic::{Topic, touched};
use dunlin_core::trigger::{Campaigns, entries};

use crate::Evaluate;

impl Evaluate {
    /// Takes one person's calls in order. Everything may be done again: a call that was taken changes nothing, and the
    /// runs it starts have its id.
    pub(crate) async fn take(&self, lane: Queue, calls: &[&Call]) -> Result<(), Error> {
        for part in calls.split_inclusive(|call| matches!(call.action, Action::Reidentify { .. })) {
            let (updates, new_id) = match part.split_last() {
                Some((call, before)) if matches!(call.action, Action::Reidentify { .. }) => (before, Some(*call)),
                _ => (part, None),
            };
            if !updates.is_empty() {
                self.update(lane, updates).await?;
            }
            if let Some(call) = new_id {
                self.rename(call).await?;
            }
        }
        Ok(())
    }

    /// Calls that concern one profile: one read, one write, whatever their number.
    async fn update(&self, lane: Queue, calls: &[&Call]) -> Result<(), Error> {
        let Some(first) = calls.first() else { return Ok(()) };
        let (project, live) = (&first.project, self.catalog.live(&first.project).await?);
        let mut stored = self.profiles.get(project, &first.user).await?;
        let (mut changed, mut transitions) = (false, Vec::new());
        let recorded = self.recorded(&stored.state, calls).await?;
        for call in calls {
            let is_new = !stored.state.seen().contains(call) && !recorded.contains(&call.id);
            if is_new || planted!(DeduplicatedTooLate) {
                stored.state.apply(call);
                changed = true;
            }
            changed |= enter(&mut stored.state, call, is_new, lane, &live, &mut transitions);
        }
        if changed {
            self.store(first, &mut stored).await?;
        }
        for call in calls.iter().filter(|call| matches!(call.action, Action::Delete)) {
            for id in std::iter::once(&stored.state.id).chain(stored.state.former()) {
                self.profiles.erase_activity(project, id, call.at).await?;
            }
        }
        for call in calls.iter().filter(|call| !stored.state.remembers(call.at)) {
            self.end(call, &live.campaigns).await?;
        }
        for transition in transitions {
            if stored.state.remembers(transition.run.event.at) {
                self.begin(&self.runs, transition).await?;
            }
        }
        let topics: BTreeSet<Topic> = calls.iter().flat_map(|call| touched(call, &live.subjects)).collect();
        for topic in topics {
            self.notify(project, &stored.state, Some(&topic)).await?;
        }
        Ok(())
    }

    /// Has the runs that wait for a topic look at what is stored by now, or all that wait for anything.
    async fn notify(&self, project: &ProjectId, profile: &Profile, topic: Option<&Topic>) -> Result<(), Error> {
        let now = self.clock.now();
        for user in std::iter::once(&profile.id).chain(profile.former()) {
            let waiters = self.waiters.list(project, user, topic).await?;
            self.commands.look(project, &waiters, now, now).await?;
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
            return self.notify(&call.project, &before, None).await;
        }
        self.profiles.rename(&call.project, &versions, &renamed, self.clock.now()).await?;
        // What one of them waits for may have happened to the other.
        self.notify(&call.project, &renamed.profile, None).await
    }

    /// Stores a run and carries out its commands. One that is over at once needs no row, if it would go the same way again,
    /// whatever is true by then.
    async fn begin(&self, runs: &Runs, transition: Transition) -> Result<(), Error> {
        tell(&transition);
        let Transition { run, commands, asked, .. } = transition;
        let now = || self.clock.now();
        if !asked && matches!(run.state, RunState::Ended { .. }) {
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

    /// Ends the runs of an event that is erased: whoever began them and died may have left rows, without the timers that
    /// would end them.
    async fn end(&self, call: &Call, campaigns: &Campaigns) -> Result<(), Error> {
        if counts_as(call).is_none() {
            return Ok(());
        }
        // All of them: what started it then may ask for another event now.
        for published in campaigns.all() {
            let run = Run::id_of(&call.project, &published.campaign.id, &call.id);
            if let Some(there) = self.runs.get(&call.project, &run).await?
                && there.state.due_at().is_some()
            {
                self.runs.put(&there.state.erased(self.clock.now()), there.version).await?;
            }
        }
        Ok(())
    }
}

/// Starts the runs of those campaigns that a call enters; whether the profile remembers a new one.
fn enter(
    profile: &mut Profile,
    call: &Call,
    is_new: bool,
    lane: Queue,
    live: &Live,
    transitions: &mut Vec<Transition>,
) -> bool {
    let Some(event) = trigger(profile, call) else { return false };
    let (mut changed, now) = (false, call.accepted_at);
    for entry in entries(&event, now, &Facts::new(profile, &event, now), &live.campaigns) {
        let campaign = &entry.published.campaign;
        // A call that comes again meets the decision that was made, not one by what has become true since.
        let known = if is_new { None } else { profile.has_started(campaign, call) };
        if !known.unwrap_or_else(|| entry.decision.passed()) {
            continue;
        }
        match profile.start(campaign, call, is_new) {
            Start::TooOften => {
                if is_new {
                    tracing::warn!(project.id = %call.project, campaign.id = %campaign.id, "campaign starts too often");
                }
                continue;
            }
            first => changed |= first == Start::First,
        }
        let lane = Lane::of(campaign, lane.stem == resources::BACKLOG.stem);
        let past: Vec<TriggerEvent> = match campaign.sought().next() {
            Some(_) => profile.riding().iter().filter_map(Activity::event).collect(),
            None => Vec::new(),
        };
        let (user, facts) = (profile.id.clone(), Facts { past: &past, ..Facts::new(profile, &event, now) });
        transitions.push(start(entry.published, call.project.clone(), user, event.clone(), lane, &facts, &live.zone));
    }
    changed
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
