//! One person's calls: load, fold, decide, store, act.

use std::collections::BTreeSet;

use dunlin_aws::resources::Queue;
use dunlin_aws::runs::tell;
use dunlin_aws::{Error, Kind, planted};
use dunlin_core::call::{Action, Call};
use dunlin_core::ids::{EventId, ProjectId, UserId};
use dunlin_core::limits::{DEDUPLICATION, TAKEN_BYTES};
use dunlin_core::profile::rename::rename;
use dunlin_core::profile::{Profile, Stamp, counts_as};
use dunlin_core::run::{Run, RunState, Transition};
use dunlin_core::task::to_text;
use dunlin_core::topic::{Topic, touched};
use dunlin_core::trigger::Campaigns;
use jiff::Timestamp;

use crate::Evaluate;
use crate::entering::{Begun, Taken};

impl Evaluate {
    /// Takes one person's calls in order. Everything may be done again: a call that was taken changes nothing, and the
    /// runs it starts have its id.
    pub(crate) async fn take(&self, lane: Queue, calls: &[&Call]) -> Result<(), Error> {
        for part in calls.split_inclusive(|call| matches!(call.action, Action::Reidentify { .. })) {
            let (updates, new_id) = match part.split_last() {
                Some((call, before)) if matches!(call.action, Action::Reidentify { .. }) => (before, Some(*call)),
                _ => (part, None),
            };
            for updates in portions(updates) {
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
        let (mut changed, mut begun) = (false, Vec::new());
        let mut known = self.known(&stored.state, calls).await?;
        let is_any_new = calls.iter().any(|call| !known.contains(&call.id));
        let unloaded = is_any_new && !planted!(TakenBeforeStored) && self.unload(project, &mut stored.state).await?;
        for call in calls {
            let is_new = known.insert(call.id.clone());
            let before = (is_new && live.campaigns.has_crossed()).then(|| stored.state.clone());
            if is_new || planted!(DeduplicatedTooLate) {
                stored.state.apply(call);
                changed = true;
            }
            let taken = Taken { call, is_new, before: before.as_ref(), lane, live: &live };
            changed |= self.enter(&mut stored.state, &taken, &mut begun).await?;
            changed |= taken.expect(&mut stored.state, &mut begun);
        }
        if changed {
            if planted!(TakenBeforeStored) {
                self.unload(project, &mut stored.state).await?;
            }
            let put = self.profiles.put(project, &stored, self.clock.now()).await;
            if unloaded && put.as_ref().is_err_and(|error| error.kind == Kind::Conflict) {
                // Whoever was faster may have erased what is in the chunk.
                let there = self.profiles.get(project, &first.user).await?.state;
                if let Some(upto) = there.erased_at() {
                    self.erase(project, &there, upto).await?;
                }
            }
            put?;
        }
        for call in calls.iter().filter(|call| matches!(call.action, Action::Delete)) {
            self.erase(project, &stored.state, call.at).await?;
        }
        for call in calls.iter().filter(|call| !stored.state.remembers(call.at)) {
            self.end(call, &live.campaigns).await?;
        }
        for begun in begun {
            if stored.state.remembers(begun.transition.run.event.at) {
                self.begin(begun).await?;
            }
        }
        // Asked anew: what runs listen for since is known by now.
        let live = self.catalog.live(project).await?;
        let topics: BTreeSet<Topic> = calls.iter().flat_map(|call| touched(call, &live.subjects)).collect();
        for topic in topics {
            self.notify(project, &stored.state, Some(&topic)).await?;
        }
        Ok(())
    }

    /// Has the runs that wait for a topic look at what is stored by now, or all that wait for anything.
    async fn notify(&self, project: &ProjectId, profile: &Profile, topic: Option<&Topic>) -> Result<(), Error> {
        if self.catalog.live(project).await?.subjects.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        for user in std::iter::once(&profile.id).chain(profile.former()) {
            let waiters = self.waiters.list(project, user, topic).await?;
            self.commands.look(project, &waiters, now, now).await?;
        }
        Ok(())
    }

    /// The calls that were taken before: those of these that the profile remembers; where one may be older than what it
    /// remembers, all that the activity has.
    async fn known(&self, profile: &Profile, calls: &[&Call]) -> Result<BTreeSet<EventId>, Error> {
        let seen = profile.seen();
        let (remembered, others): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(|call| seen.contains(call));
        let mut known: BTreeSet<EventId> = remembered.into_iter().map(|call| call.id.clone()).collect();
        let unsure = others.iter().filter(|call| seen.may_have_forgotten(call.accepted_at));
        if let Some(call) = unsure.min_by_key(|call| call.accepted_at) {
            // The same call may have been accepted before, within the window in which it is the same.
            let since = call.accepted_at.checked_sub(DEDUPLICATION).unwrap_or(call.accepted_at);
            known.extend(self.profiles.recorded(&call.project, profile, since).await?);
        }
        Ok(known)
    }

    /// Writes out what rides in a profile as it is stored, before it takes more calls: a call in a chunk was taken. Whether
    /// there was enough of it.
    async fn unload(&self, project: &ProjectId, profile: &mut Profile) -> Result<bool, Error> {
        let now = self.clock.now();
        let Some(chunk) = profile.unload_activity(now) else { return Ok(false) };
        self.profiles.put_activity(project, &profile.id, &chunk, now).await?;
        Ok(true)
    }

    /// Erases a person's activity that happened up to `upto`, under each of their ids.
    async fn erase(&self, project: &ProjectId, profile: &Profile, upto: Timestamp) -> Result<(), Error> {
        for id in std::iter::once(&profile.id).chain(profile.former()) {
            self.profiles.erase_activity(project, id, upto).await?;
        }
        Ok(())
    }

    async fn rename(&self, call: &Call) -> Result<(), Error> {
        let Action::Reidentify { new_id } = &call.action else { return Ok(()) };
        let mut from = self.profiles.get(&call.project, &call.user).await?;
        let mut to = self.profiles.get(&call.project, new_id).await?;
        for profile in [&mut from.state, &mut to.state] {
            // What rides in both would not fit into one item.
            self.unload(&call.project, profile).await?;
        }
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
    async fn begin(&self, begun: Begun) -> Result<(), Error> {
        tell(&begun.transition);
        let Transition { run, commands, asked, .. } = begun.transition;
        let now = || self.clock.now();
        if !asked && matches!(run.state, RunState::Ended { .. }) {
            return self.commands.carry_out(&run, &commands, false, now).await;
        }
        let put = match begun.total {
            Some(total) => match self.runs.put_counted(&run, total).await {
                Ok(false) => {
                    tracing::info!(project.id = %run.project, campaign.id = %run.campaign, "campaign is full");
                    return Ok(());
                }
                put => put.map(drop),
            },
            None => self.runs.put(&run, 0).await,
        };
        match put {
            Ok(()) => self.commands.carry_out(&run, &commands, true, now).await,
            Err(error) if error.kind == Kind::Conflict => {
                let Some(there) = self.runs.get(&run.project, &run.id).await? else { return Err(error) };
                self.commands.carry_out_again(&there.state, now).await
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the runs of an event that is erased: whoever began them and died may have left rows, without the timers that
    /// would end them.
    async fn end(&self, call: &Call, campaigns: &Campaigns) -> Result<(), Error> {
        let may_start =
            counts_as(call).is_some() || matches!(call.action, Action::Enter { .. }) || campaigns.has_crossed();
        if !may_start || matches!(call.action, Action::Delete) {
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

/// Calls in as few parts as a profile takes in one write each, in their order.
fn portions<'p, 'c>(calls: &'p [&'c Call]) -> Vec<&'p [&'c Call]> {
    let (mut parts, mut rest) = (Vec::new(), calls);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|call| {
            bytes += to_text(call).map_or(0, |text| text.len());
            bytes <= TAKEN_BYTES
        });
        let (part, behind) = rest.split_at(fits.count().max(1));
        parts.push(part);
        rest = behind;
    }
    parts
}
