//! Who enters in a dry run: by the event, by a date, by a condition or by the API, as the campaign says.

use super::{MOVES, TRIGGER, UnderWay};
use crate::call::{Action, Call, Properties};
use crate::campaign::{On, all};
use crate::condition::{Condition, Decision, Facts, Reason, decide};
use crate::ids::EventId;
use crate::run::expected::awaits;
use crate::run::{Advance, Command, RunState, date_of};
use crate::task::TriggerEvent;
use crate::trigger::{Asking, Campaigns, Published};
use crate::wait::DateWait;

impl UnderWay<'_> {
    /// Enters the campaign: what its runs take for their trigger event. Says what that hangs on.
    ///
    /// # Errors
    /// Why nobody enters.
    pub(super) fn enter(&mut self, published: &Published) -> Result<TriggerEvent, Reason> {
        let call = self.calls(published)?;
        // What starts a campaign is part of the person's past when it is asked.
        self.profile.apply(&call);
        self.now = self.now.max(call.accepted_at);
        let campaigns = Campaigns::new([published.clone()]);
        let asking = campaigns.asked_by(&call).into_iter().chain(campaigns.crossed_by(&call)).next();
        let asking = asking.ok_or_else(|| self.another(published))?;
        let crossing = self.crosses(&asking)?;
        if let Decision::Fail(why) = asking.decide(call.accepted_at, &self.profile) {
            return Err(why);
        }
        asking.key(&self.profile, call.accepted_at)?;
        if let Some(crossing) = crossing {
            self.note(TRIGGER, crossing);
        }
        let rule = &published.campaign.entry;
        if !rule.is_empty() {
            self.note(TRIGGER, format!("enters if the rule lets them in: {rule}; earlier entries are not known here"));
        }
        Ok(asking.event)
    }

    /// The call that is to start the campaign.
    fn calls(&mut self, published: &Published) -> Result<Call, Reason> {
        let TriggerEvent { id, name, at, data } = self.play.event.clone();
        let action = match &published.campaign.trigger.on {
            On::Event { .. } => Action::Track {
                name,
                email: None,
                properties: Properties::new(),
                data,
                source: None,
                conversion: None,
                passive: false,
            },
            On::Api { .. } => Action::Enter { campaign: published.campaign.id.clone(), data, date: None },
            On::Enters { .. } | On::Leaves { .. } => Action::Edit { changes: Properties::new() },
            On::Date(wait) => return self.date_comes(published, wait),
        };
        Ok(self.call(id, at, action))
    }

    /// Waits for a date of the person: the call with which it comes.
    fn date_comes(&mut self, published: &Published, wait: &DateWait) -> Result<Call, Reason> {
        let campaign = &published.campaign;
        let sets = self.call(EventId::derive(&[TRIGGER]), self.now, Action::Edit { changes: Properties::new() });
        let date = date_of(published, &self.profile);
        self.profile.expect(&campaign.id, date, &sets);
        let awaited = awaits(published, wait, &self.profile, self.play.zone, &sets, self.now);
        let mut moved = awaited.map_err(|why| Reason::new(&why))?;
        if let RunState::Expected { due_at, .. } = moved.run.state {
            self.note(TRIGGER, format!("waits: {wait}, that is {due_at}"));
        }
        for _ in 0..MOVES {
            let comes = moved.commands.into_iter().find_map(|command| match command {
                Command::Call { call } => Some(*call),
                _ => None,
            });
            if let Some(call) = comes {
                self.note(TRIGGER, "the date is there");
                return Ok(call);
            }
            self.now = moved.run.due_at().unwrap_or(self.now);
            let facts = Facts::new(&self.profile, &moved.run.event, self.now);
            moved = match moved.run.advance(campaign, &facts, self.play.zone) {
                Advance::Moved(moved) => *moved,
                Advance::NotDue { .. } | Advance::Ended => break,
            };
        }
        Err(Reason::new("the date does not come"))
    }

    /// Of a campaign that a condition starts: what the person must have been before.
    fn crosses(&self, asking: &Asking<'_>) -> Result<Option<String>, Reason> {
        let holds = |conditions: &[Condition]| decide(conditions, &Facts::new(&self.profile, &asking.event, self.now));
        match &asking.published.campaign.trigger.on {
            On::Enters { enters } => match holds(enters) {
                Decision::Pass => Ok(Some(format!("enters if they were not in it before: {}", all(enters)))),
                Decision::Fail(why) => Err(why),
            },
            On::Leaves { leaves } => match holds(leaves) {
                Decision::Pass => Err(still(leaves)),
                Decision::Fail(why) => Ok(Some(format!("enters if they were in it before: {why}"))),
            },
            On::Event { .. } | On::Date(_) | On::Api { .. } => Ok(None),
        }
    }

    fn another(&self, published: &Published) -> Reason {
        let (asked, event) = (&published.campaign.trigger.on, &self.play.event.name);
        Reason::new(&format!("the campaign asks for `{asked}`, and this is `{event}`"))
    }
}

fn still(conditions: &[Condition]) -> Reason {
    Reason::new(&format!("still in the condition that it asks to leave: {}", all(conditions)))
}
