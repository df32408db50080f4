//! What is drawn: boxes and arrows.

use dunlin_core::campaign::{Action, Campaign, Step, Target};
use dunlin_core::condition::Condition;

/// Characters of a text at most: what is longer is cut.
const LONGEST: usize = 60;

/// A campaign as boxes and arrows. The first box is what starts it; the last one is its end, where a way leads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// The campaign's name.
    pub title: String,
    /// What starts it, its steps in their order, its end if runs come to it: all of them may end at an `exit`.
    pub boxes: Vec<Box>,
    /// The ways that a run can take.
    pub arrows: Vec<Arrow>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Box {
    /// What it looks like.
    pub shape: Shape,
    /// The step's name.
    pub name: String,
    /// What it does.
    pub text: String,
}

/// What a box looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Round ends: where runs begin and end.
    Terminal,
    /// Something is done.
    Deed,
    /// Time passes.
    Wait,
    /// There is more than one way on.
    Choice,
}

/// An arrow from one box to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The place of the box it comes from.
    pub from: usize,
    /// The place of the box it leads to.
    pub to: usize,
    /// When a run takes it; empty for always.
    pub when: String,
}

impl Diagram {
    /// Takes a campaign apart. A way to a step that is not there is left out.
    #[must_use]
    pub fn of(campaign: &Campaign) -> Self {
        let trigger = &campaign.trigger;
        let text = [trigger.on.to_string(), all(&trigger.filters)];
        let text = text.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", if ");
        let mut boxes = vec![Box::new(Shape::Terminal, "trigger", &text)];
        boxes.extend(campaign.steps.iter().map(|step| Box::of(campaign, step)));
        let end = boxes.len();
        let mut arrows = vec![Arrow { from: 0, to: 1, when: String::new() }];
        for (index, step) in campaign.steps.iter().enumerate() {
            for (target, when) in ways(campaign, index, step) {
                let to = match target {
                    Target::Step(to) => to + 1,
                    Target::End => end,
                    Target::Missing(_) => continue,
                };
                arrows.push(Arrow { from: index + 1, to, when: cut(&when) });
            }
        }
        if arrows.iter().any(|arrow| arrow.to == end) {
            boxes.push(Box::new(Shape::Terminal, "end", ""));
        }
        Self { title: campaign.name.clone(), boxes, arrows }
    }
}

impl Box {
    fn new(shape: Shape, name: &str, text: &str) -> Self {
        Self { shape, name: cut(name), text: cut(text) }
    }

    fn of(campaign: &Campaign, step: &Step) -> Self {
        let (shape, text) = match &step.action {
            Action::Wait { wait } => (Shape::Wait, wait.to_string()),
            Action::WaitFor(wait) => (Shape::Wait, format!("until {}, at most {}", wait.wait_for.event, wait.within)),
            Action::WaitUntil(wait) => {
                (Shape::Wait, format!("until {}, at most {}", all(&wait.wait_until), wait.within))
            }
            Action::Send { send, .. } => {
                let subject = campaign.messages.get(send).map(|message| message.subject.as_str());
                (Shape::Deed, format!("sends: {}", subject.unwrap_or(send)))
            }
            Action::Filter { filter, .. } => (Shape::Choice, all(filter)),
            Action::Branch { .. } => (Shape::Choice, "the first that holds".to_owned()),
            Action::Split { .. } => (Shape::Choice, "by lot".to_owned()),
            Action::HoldOut { hold_out } => (Shape::Choice, format!("holds out {hold_out}")),
            Action::Update { .. } => (Shape::Deed, "updates the profile".to_owned()),
            Action::Track { track, .. } => (Shape::Deed, format!("tracks: {track}")),
            Action::Start { start, .. } => (Shape::Deed, format!("starts: {start}")),
            Action::Webhook { webhook, .. } => (Shape::Deed, format!("calls: {}", webhook.url)),
            Action::Exit { exit } => (Shape::Terminal, exit.clone()),
        };
        Self::new(shape, &step.name, &text)
    }
}

/// The ways on from a step, and when each is taken.
fn ways<'c>(campaign: &'c Campaign, index: usize, step: &'c Step) -> Vec<(Target<'c>, String)> {
    let words: Vec<String> = match &step.action {
        Action::Exit { .. } => return Vec::new(),
        Action::Wait { wait } if wait.otherwise().is_some() => vec![String::new(), "no date".to_owned()],
        Action::Wait { .. }
        | Action::Send { .. }
        | Action::Update { .. }
        | Action::Track { .. }
        | Action::Start { .. } => vec![String::new()],
        Action::Webhook { .. } => vec!["answered".to_owned(), "failed".to_owned()],
        Action::WaitFor(_) => vec!["it happened".to_owned(), "timed out".to_owned()],
        Action::WaitUntil(_) => vec!["it holds".to_owned(), "timed out".to_owned()],
        Action::Filter { .. } => vec!["yes".to_owned(), "no".to_owned()],
        Action::Branch { branch, .. } => branch.iter().map(|arm| all(&arm.when)).chain(["else".to_owned()]).collect(),
        Action::Split { split, .. } => split.iter().map(|share| share.percent.to_string()).collect(),
        Action::HoldOut { hold_out } => vec!["the others".to_owned(), hold_out.to_string()],
    };
    campaign.targets(index).into_iter().zip(words).collect()
}

/// Conditions as one text.
fn all(conditions: &[Condition]) -> String {
    conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// A text of one line that fits a box.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}
