//! Which campaigns a call enters: those that ask for it, whose rule lets the person in.

use dunlin_aws::catalog::Live;
use dunlin_aws::resources::Queue;
use dunlin_aws::{Error, Stored, resources};
use dunlin_core::call::{Action, Call};
use dunlin_core::campaign::Campaign;
use dunlin_core::condition::{Facts, Reason};
use dunlin_core::ids::RunId;
use dunlin_core::profile::{Admission, Profile, Start};
use dunlin_core::run::{Run, RunState, Transition, date_of, expect, start};
use dunlin_core::task::{Lane, TriggerEvent};
use dunlin_core::trigger::Asking;
use jiff::{SignedDuration, Timestamp};

use crate::Evaluate;

/// How long a run may have no row although it began: whoever began it may have died, and comes back.
const UNBEGUN: SignedDuration = SignedDuration::from_mins(15);

/// One call, and what is known while it is taken.
pub(crate) struct Taken<'a> {
    pub(crate) call: &'a Call,
    /// Whether it was not taken before.
    pub(crate) is_new: bool,
    /// The person before it, where a campaign asks for what it changes.
    pub(crate) before: Option<&'a Profile>,
    pub(crate) lane: Queue,
    pub(crate) live: &'a Live,
}

/// A run that begins.
pub(crate) struct Begun {
    pub(crate) transition: Transition,
    /// Runs of its campaign at most, where it says so.
    pub(crate) total: Option<u64>,
}

impl Evaluate {
    /// Begins the runs of those campaigns that a call enters; whether the profile changed.
    pub(crate) async fn enter(
        &self,
        profile: &mut Profile,
        taken: &Taken<'_>,
        begun: &mut Vec<Begun>,
    ) -> Result<bool, Error> {
        let mut changed = false;
        for asking in taken.asking(profile) {
            changed |= match self.admit(profile, taken, &asking, begun).await? {
                Ok(key) => {
                    let past = self.past(profile, taken.call, &asking).await?;
                    taken.begin(profile, &asking, (key, &past), begun)
                }
                Err(Some(why)) => taken.refuse(profile, &asking, &why),
                Err(None) => false,
            };
        }
        Ok(changed)
    }

    /// Whether a campaign takes the person in: the key of the matter; else why not, where that is worth a note.
    async fn admit(
        &self,
        profile: &Profile,
        taken: &Taken<'_>,
        asking: &Asking<'_>,
        begun: &[Begun],
    ) -> Result<Result<Option<String>, Option<Reason>>, Error> {
        let (call, campaign) = (taken.call, &asking.published.campaign);
        // A call that comes again meets the decision that was made, not one by what has become true since.
        let known = if taken.is_new { None } else { profile.has_started(campaign, call) };
        if !known.unwrap_or_else(|| asking.decide(call.accepted_at, profile).passed()) {
            return Ok(Err(None));
        }
        let key = match asking.key(profile, call.accepted_at) {
            Ok(key) => key,
            Err(why) => return Ok(Err(Some(why))),
        };
        if known == Some(true) {
            return Ok(Ok(key));
        }
        let refused = match profile.admission(campaign, key.as_deref(), call) {
            Admission::Granted => None,
            Admission::Refused(why) => Some(why),
            Admission::If(last) if self.is_over(taken, (&last.run, last.at()), begun).await? => None,
            Admission::If(_) => Some(Reason::new("the run before is not over")),
        };
        if refused.is_some() {
            return Ok(Err(refused));
        }
        Ok(if self.is_full(call, campaign).await? { Err(None) } else { Ok(key) })
    }

    /// Whether a campaign has begun as many runs as it may: who is turned away has not entered. Of those who come at once for
    /// the last place, all have, and one begins.
    async fn is_full(&self, call: &Call, campaign: &Campaign) -> Result<bool, Error> {
        let Some(total) = campaign.entry.total else { return Ok(false) };
        let is_full = self.runs.counted(&call.project, &campaign.id).await? >= total;
        if is_full {
            tracing::info!(project.id = %call.project, campaign.id = %campaign.id, "campaign is full");
        }
        Ok(is_full)
    }

    /// What has happened to the person since the trigger, where the campaign asks for it: a trigger may come late.
    async fn past(&self, profile: &Profile, call: &Call, asking: &Asking<'_>) -> Result<Vec<TriggerEvent>, Error> {
        if !profile.has_past(asking.published.campaign.sought(), call.at) {
            return Ok(Vec::new());
        }
        self.profiles.past(&call.project, profile, call.at).await
    }

    /// Whether a run that began at `at` is over.
    async fn is_over(&self, taken: &Taken<'_>, (run, at): (&RunId, Timestamp), begun: &[Begun]) -> Result<bool, Error> {
        let (call, is_ended) = (taken.call, |run: &Run| matches!(run.state, RunState::Ended { .. }));
        // One that begins again, since whoever began it died, may be over by now.
        if let Some(Stored { state: there, .. }) = self.runs.get(&call.project, run).await? {
            // Of a campaign that was deleted since, it is over as soon as it is woken.
            return Ok(is_ended(&there) || taken.live.is_deleted(&there.campaign, there.started_at));
        }
        let beginning = begun.iter().find(|begun| begun.transition.run.id == *run);
        Ok(match beginning {
            Some(begun) => is_ended(&begun.transition.run),
            None => call.accepted_at.duration_since(at) > UNBEGUN,
        })
    }
}

impl<'a> Taken<'a> {
    /// The campaigns that the call asks for.
    fn asking(&self, profile: &Profile) -> Vec<Asking<'a>> {
        let (call, campaigns) = (self.call, &self.live.campaigns);
        if !profile.remembers(call.at) {
            return Vec::new();
        }
        let crossed = campaigns.crossed_by(call).into_iter().filter(|asking| match self.before {
            Some(before) => asking.is_crossed(before, profile, call.accepted_at),
            // What the person was before a call that comes again, nobody knows any more; but what it started.
            None => !self.is_new && profile.has_started(&asking.published.campaign, call) == Some(true),
        });
        campaigns.asked_by(call).into_iter().chain(crossed).collect()
    }

    fn begin(
        &self,
        profile: &mut Profile,
        asking: &Asking<'_>,
        (key, past): (Option<String>, &[TriggerEvent]),
        begun: &mut Vec<Begun>,
    ) -> bool {
        let (call, published) = (self.call, asking.published);
        let campaign = &published.campaign;
        let first = profile.start(campaign, call, self.is_new);
        if first == Start::TooOften {
            if self.is_new {
                tracing::warn!(project.id = %call.project, campaign.id = %campaign.id, "campaign starts too often");
            }
            return self.is_new;
        }
        let lane = Lane::of(campaign, self.lane.stem == resources::BACKLOG.stem);
        let facts = Facts { past, ..Facts::new(profile, &asking.event, call.accepted_at) };
        let (project, user) = (call.project.clone(), profile.id.clone());
        let transition = start(published, project, user, asking.event.clone(), lane, &facts, &self.live.zone);
        profile.enter(campaign, key, call, transition.run.id.clone());
        begun.push(Begun { transition, total: campaign.entry.total });
        first == Start::First
    }

    /// Notes why the person does not enter.
    fn refuse(&self, profile: &mut Profile, asking: &Asking<'_>, why: &Reason) -> bool {
        if self.is_new {
            profile.not_started(self.call, &asking.published.campaign.id, why.as_str());
        }
        self.is_new
    }

    /// Has the campaigns that a date starts wait for it, where the call set the date, or was the last one's; whether the
    /// profile changed.
    pub(crate) fn expect(&self, profile: &mut Profile, begun: &mut Vec<Begun>) -> bool {
        let (call, mut changed) = (self.call, false);
        for published in self.live.campaigns.dated() {
            let id = &published.campaign.id;
            let date = date_of(published, profile);
            let is_other = profile.expected(id) != date.as_deref();
            if is_other && !self.is_new {
                continue;
            }
            let is_set = profile.expect(id, date, call);
            changed |= is_other;
            let was_last = matches!(&call.action, Action::Enter { campaign, date: Some(_), .. } if campaign == id);
            // What was due just now is over: the next one is next year's.
            let now = if was_last { call.accepted_at + SignedDuration::from_secs(1) } else { call.accepted_at };
            if is_set || was_last {
                let expected = expect(published, profile, &self.live.zone, call, now);
                begun.extend(expected.map(|transition| Begun { transition, total: None }));
            }
        }
        changed
    }
}
