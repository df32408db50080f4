//! Steps that choose the way: by what is true of the person, or by lot.

use super::steps::Passage;
use super::{EndReason, Run};
use crate::campaign::share::{drawn, lot};
use crate::campaign::{Action, Campaign, Step, Target};
use crate::condition::{Decision, Facts, decide};

impl Run {
    /// Where a step that chooses leads, or why it ends the run.
    pub(super) fn choose<'c>(
        &self,
        campaign: &'c Campaign,
        facts: &Facts<'_>,
        (index, step): (usize, &'c Step),
        passage: &mut Passage,
    ) -> Result<Target<'c>, EndReason> {
        match &step.action {
            Action::Filter { filter, otherwise } => match (decide(filter, facts), otherwise) {
                (Decision::Pass, _) => passage.note(step, "holds"),
                (Decision::Fail(why), Some(name)) => {
                    passage.note(step, format!("{why}: goes to `{name}`"));
                    return Ok(campaign.target(name));
                }
                (Decision::Fail(why), None) => {
                    passage.note(step, why.as_str());
                    return Err(EndReason::Filtered { step: step.name.clone(), why });
                }
            },
            Action::Branch { branch, otherwise } => {
                let arm = branch.iter().position(|arm| decide(&arm.when, facts).passed());
                let named = arm.and_then(|arm| branch.get(arm)).map(|arm| arm.to.as_str()).or(otherwise.as_deref());
                let which = arm.map_or_else(|| "no arm holds".to_owned(), |arm| format!("arm {} holds", arm + 1));
                passage
                    .note(step, format!("{which}{}", named.map_or_else(String::new, |to| format!(": goes to `{to}`"))));
                if let Some(name) = named {
                    return Ok(campaign.target(name));
                }
            }
            Action::Split { split, seed } => {
                let lot = self.lot(seed.as_deref().unwrap_or(&step.name));
                let share = drawn(split, lot).ok_or(EndReason::Completed)?;
                passage.note(step, format!("draws {lot} of 10000: goes to `{}` with {}", share.to, share.percent));
                return Ok(campaign.target(&share.to));
            }
            Action::HoldOut { hold_out } => {
                let lot = self.lot(&step.name);
                if lot < hold_out.hundredths() {
                    passage.note(step, format!("draws {lot} of 10000: held out with {hold_out}"));
                    return Err(EndReason::HeldOut { step: step.name.clone() });
                }
                passage.note(step, format!("draws {lot} of 10000: goes on, {hold_out} are held out"));
            }
            _ => {}
        }
        Ok(campaign.after(index))
    }

    /// The person's lot for a seed in this campaign.
    fn lot(&self, seed: &str) -> u32 {
        lot(&self.project, &self.campaign, seed, &self.user)
    }
}
