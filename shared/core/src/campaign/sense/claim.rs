//! One condition of a list, taken out of its groups.

use super::super::problem::Problem;
use super::clash;
use crate::condition::Condition;
use crate::property::Owner;

/// Letters of a condition that are shown: a text of a campaign may be as long as the campaign.
const SHOWN: usize = 80;

/// A condition, and whether it has to hold or has not to.
#[derive(Clone, Debug)]
pub(super) struct Claim<'c> {
    pub(super) path: String,
    pub(super) condition: &'c Condition,
    pub(super) holds: bool,
    pub(super) source: Source,
}

/// Where a claim is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A list that is asked at the same moment.
    Asked,
    /// The trigger's filters, asked before; of the trigger event, which stays as it was.
    Filters,
    /// The trigger: its event has happened.
    Event,
}

impl<'c> Claim<'c> {
    /// Takes groups apart: into claims that must all hold, and into choices of which one must.
    pub(super) fn unfold(self, all: &mut Vec<Self>, choices: &mut Vec<Vec<Self>>) {
        let word = match (self.condition, self.holds) {
            (Condition::All { .. }, _) => "all",
            (Condition::Any { .. }, _) => "any",
            (Condition::Not { not }, _) => {
                let path = format!("{}.not", self.path);
                return Claim { path, condition: not, holds: !self.holds, ..self }.unfold(all, choices);
            }
            _ => return all.push(self),
        };
        let inside = self.condition.children().enumerate();
        let parts = inside.map(|(index, part)| Claim {
            path: format!("{}.{word}[{index}]", self.path),
            condition: part,
            ..self
        });
        if (word == "all") == self.holds {
            parts.for_each(|part| part.unfold(all, choices));
        } else {
            choices.push(parts.collect());
        }
    }

    /// Why it never holds, whatever else does.
    pub(super) fn alone(&self) -> Option<Problem> {
        let what = clash::never(self)?;
        Some(Problem::warning(&self.path, what, "ask another property, or remove the condition"))
    }

    /// Why it never holds where there is neither an event nor a run.
    pub(super) fn missing(&self) -> Option<Problem> {
        let property = clash::needed(self)?;
        let what = match property.owner() {
            Owner::User => return None,
            Owner::Event => format!("never holds: no event is there whose `{property}` is asked"),
            Owner::Journey => format!("never holds: no run is there that has `{property}`"),
        };
        let mend = "ask for a property of the person (`user.…`), or start the campaign with an event and `filters`";
        Some(Problem::error(&self.path, what, mend))
    }

    /// Why it never holds beside `earlier`.
    pub(super) fn beside(&self, earlier: &Self) -> Option<Problem> {
        if !clash::clash(self, earlier) {
            return None;
        }
        let Self { path, source, .. } = earlier;
        let shown: String = earlier.condition.to_string().chars().take(SHOWN).collect();
        let shown = if earlier.holds { format!("`{shown}`") } else { format!("`not ({shown})`") };
        Some(match source {
            Source::Asked => {
                let what = format!("never holds together with {shown} ({path})");
                Problem::error(&self.path, what, "keep one of them, or put both into an `any`")
            }
            Source::Filters => {
                let what = format!("never holds: the trigger asks for {shown} ({path})");
                Problem::warning(&self.path, what, "change it or the trigger, or remove it")
            }
            Source::Event => {
                let what = "never holds: the event that triggers the campaign counts, too";
                Problem::warning(&self.path, what, "write `exactly: 1` for the first time, or `since: trigger`")
            }
        })
    }
}
