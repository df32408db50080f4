//! What is said of events that have the name which a run waits for, and are not the ones. Values are shown: a dry run is told
//! to who wrote them, and nothing of it is logged.

use serde_json::Value;

use super::{GOAL, UnderWay};
use crate::campaign::{Action, Awaited, Campaign, Misfit};
use crate::condition::{Condition, Facts};
use crate::ids::EventId;
use crate::property::find;
use crate::run::{Run, RunState};
use crate::task::TriggerEvent;

impl UnderWay<'_> {
    /// Says what has happened before a run came to a step that waits for an event, and is not that event.
    pub(super) fn look_back(&mut self, campaign: &Campaign, run: &Run) {
        let Some((step, awaited)) = awaited(campaign, run) else { return };
        let heard = run.heard.get(step);
        self.tell_misfits(run, (step, awaited), |event| heard.is_none_or(|heard| heard.is_before(event)));
    }

    /// Says of an event that has just happened why it is not what the run waits for, nor its goal.
    pub(super) fn overhear(&mut self, campaign: &Campaign, run: &Run, event: &EventId) {
        let goal = campaign.goal.as_ref().filter(|_| run.goal.is_none()).map(|goal| (GOAL, goal));
        for sought in awaited(campaign, run).into_iter().chain(goal) {
            self.tell_misfits(run, sought, |happened| happened.id == *event);
        }
    }

    fn tell_misfits(&mut self, run: &Run, (place, awaited): (&str, &Awaited), counts: impl Fn(&TriggerEvent) -> bool) {
        let past = self.past(run.event.at);
        let facts = Facts { journey: &run.journey, ..Facts::new(&self.profile, &run.event, self.now) };
        let called = past.iter().filter(|event| awaited.is_called(event, &facts) && counts(event));
        // Whoever goes round comes by the same past again.
        let is_new = |event: &&TriggerEvent| !self.misfits.contains(&(place.to_owned(), event.id.clone()));
        let told = called.filter(is_new).filter_map(|event| {
            let why = told(awaited.misfit(event, &facts)?, event, &facts);
            Some((event.id.clone(), format!("`{}` at {} is not the one: {why}", event.name, event.at)))
        });
        for (event, what) in told.collect::<Vec<_>>() {
            self.misfits.insert((place.to_owned(), event));
            self.note(place, what);
        }
    }
}

/// The step at which a run waits for an event, and that event.
fn awaited<'c>(campaign: &'c Campaign, run: &Run) -> Option<(&'c str, &'c Awaited)> {
    let RunState::Waiting { step, .. } = &run.state else { return None };
    let (_, step) = campaign.step(step)?;
    match &step.action {
        Action::WaitFor(wait) => Some((&step.name, &wait.wait_for)),
        _ => None,
    }
}

/// What of an event does not fit, with the values on both sides.
fn told(misfit: Misfit<'_>, event: &TriggerEvent, facts: &Facts<'_>) -> String {
    match misfit {
        Misfit::Property { path, wanted } => {
            let (own, wants) = (find(path, |name| event.data.get(name)), facts.value(wanted));
            let why =
                if own == wants.as_deref() { "; what is missing, a list or an object equals nothing" } else { "" };
            format!("its `{path}` {}, and `{wanted}` {}{why}", shown(own), shown(wants.as_deref()))
        }
        Misfit::Filter(filter @ Condition::Property(of)) => {
            let facts = Facts { event, ..*facts };
            format!("not met: {filter}, and `{}` {}", of.property, shown(facts.value(&of.property).as_deref()))
        }
        Misfit::Filter(filter) => format!("not met: {filter}"),
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "has no value".to_owned(),
        Some(value) => format!("is {value}"),
    }
}
