//! What a schema cannot say: references, loops, templates, addresses, sizes.

use std::collections::BTreeSet;

use super::problem::{Problem, did_you_mean};
use super::share::ALL;
use super::{
    Action, Arm, Campaign, Changes, Kind, Message, On, WaitFor, entering, graph, is_liquid, journey, sense, templates,
};
use crate::condition::{Condition, History};
use crate::filter::Test;
use crate::limits::{CAMPAIGN_BYTES, CONDITION_DEPTH, COUNTED_DAYS, MATCHED};
use crate::mail::Mailbox;
use crate::property::Owner;

/// Everything that is wrong with a campaign which fits the schema. It may be published when none of it is an error.
#[must_use]
pub fn check(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    let bytes = serde_json::to_vec(campaign).map_or(usize::MAX, |document| document.len());
    if bytes > CAMPAIGN_BYTES {
        let what = format!("the campaign with all its bodies has {bytes} bytes, more than {CAMPAIGN_BYTES}");
        problems.push(Problem::error("", what, "shorten the bodies, or split the campaign"));
    }
    if campaign.name.trim().is_empty() {
        problems.push(Problem::error("name", "the name is empty", "give the campaign a name for people"));
    }
    problems.extend(graph::check(campaign));
    problems.extend(messages(campaign));
    problems.extend(templates::check(campaign));
    problems.extend(conditions(campaign));
    problems.extend(listening(campaign));
    problems.extend(doing(campaign));
    problems.extend(entering::check(campaign));
    problems.extend(sense::check(campaign));
    problems
}

/// What its steps do: changes that change nothing, loops through other campaigns.
fn doing(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, step) in campaign.steps.iter().enumerate() {
        match &step.action {
            Action::Update { update } if update.is_empty() => {
                let mend = "add `set`, `unset`, `add_tags` or `remove_tags`, or remove the step";
                problems.push(Problem::error(format!("steps[{index}].update"), "nothing is changed", mend));
            }
            Action::Update { update } => problems.extend(tags(update, &format!("steps[{index}].update"))),
            Action::Start { start, .. } if *start == campaign.id => {
                let what = "the campaign starts itself";
                let mend = "the loop guard ends it after 20 an hour; add `entry: {again: never}`, or start another one";
                problems.push(Problem::warning(format!("steps[{index}].start"), what, mend));
            }
            Action::WaitUntil(wait) if !wait.wait_until.is_empty() && step.action.hears_nothing() => {
                let what = "nothing that is asked can change while a run waits";
                let mend = "ask for a property of the person, a tag or an event, or use `filter`";
                problems.push(Problem::warning(format!("steps[{index}].wait_until"), what, mend));
            }
            Action::HoldOut { hold_out } if hold_out.hundredths() == ALL => {
                let mend = "write a smaller number, or `exit` instead";
                problems.push(Problem::warning(format!("steps[{index}].hold_out"), "nobody goes on from here", mend));
            }
            Action::Webhook { webhook, .. } => {
                let path = format!("steps[{index}].webhook");
                problems.extend(webhook.problems().into_iter().map(|problem| problem.below(&path)));
            }
            Action::Track { track, .. } if campaign.trigger.event() == Some(track) => {
                let what = "the event that it tracks starts the campaign again";
                let mend =
                    "the loop guard ends it after 20 an hour; add `entry: {again: never}`, or track another event";
                problems.push(Problem::warning(format!("steps[{index}].track"), what, mend));
            }
            _ => {}
        }
    }
    problems
}

/// Tags that no condition finds again.
fn tags(update: &Changes, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, tags) in [("add_tags", &update.add_tags), ("remove_tags", &update.remove_tags)] {
        for (index, tag) in tags.iter().enumerate() {
            let path = format!("{path}.{key}[{index}]");
            if tag.trim().is_empty() {
                problems.push(Problem::error(path, "the tag is empty", "name a tag"));
            } else if is_liquid(tag) {
                let mend = "write the tag out, one step for each behind a `branch`, or `set` a property";
                problems.push(Problem::error(path, "a tag is taken as it is: Liquid in it is not made", mend));
            }
        }
    }
    problems
}

/// What a campaign listens for: matches that cannot be, a goal that is not there.
fn listening(campaign: &Campaign) -> Vec<Problem> {
    let (mut problems, names) = (journey::check(campaign), journey::names(campaign));
    problems.extend(campaign.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
        Action::Wait { wait } => journey::unheard(wait.property()?, &names, &format!("steps[{index}].wait.date")),
        _ => None,
    }));
    if campaign.exits.goal && campaign.goal.is_none() {
        let mend = "add `goal: {event: NAME}`, or remove the line";
        problems.push(Problem::error("exits.goal", "there is no goal to reach", mend));
    }
    let waits = campaign.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
        Action::WaitFor(wait) => Some((format!("steps[{index}]"), wait)),
        _ => None,
    });
    let waits: Vec<(String, &WaitFor)> = waits.collect();
    let sought = waits.iter().map(|(path, wait)| (format!("{path}.wait_for"), &wait.wait_for));
    for (path, awaited) in sought.chain(campaign.goal.iter().map(|goal| ("goal".to_owned(), goal))) {
        if awaited.matching.len() > MATCHED {
            let what = format!("{} properties must match, more than {MATCHED}", awaited.matching.len());
            problems.push(Problem::error(format!("{path}.match"), what, "keep those that tell one from another"));
        }
        for (name, property) in &awaited.matching {
            if property.owner() == Owner::User {
                let mend = format!("write `event.…` or `journey.…`, or put `{property}` into `filters`");
                let what = format!("`{property}` may change while a run waits");
                problems.push(Problem::error(format!("{path}.match.{name}"), what, mend));
            }
            if let Some(own) = name.strip_prefix("event.") {
                let what = "on the left are properties of the awaited event, without `event.`";
                let mend = format!("write `{own}: {property}`");
                problems.push(Problem::error(format!("{path}.match.{name}"), what, mend));
            }
            problems.extend(journey::unheard(property, &names, &format!("{path}.match.{name}")));
        }
    }
    problems
}

fn messages(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut sent: BTreeSet<&str> = BTreeSet::new();
    for (index, step) in campaign.steps.iter().enumerate() {
        let Action::Send { send, .. } = &step.action else { continue };
        sent.insert(send);
        if !campaign.messages.contains_key(send) {
            let mend =
                did_you_mean(send, campaign.messages.keys().map(String::as_str), "add it under `messages`; there are");
            problems.push(Problem::error(
                format!("steps[{index}].send"),
                format!("there is no message `{send}`"),
                mend,
            ));
        }
    }
    problems.extend(sender(&[("from", &campaign.from), ("reply_to", &campaign.reply_to)], ""));
    for (name, message) in &campaign.messages {
        let path = templates::message_path(campaign, name);
        if !sent.contains(name.as_str()) {
            let what = format!("no step sends the message `{name}`");
            problems.push(Problem::warning(&path, what, format!("add a step `send: {name}`, or remove it")));
        }
        problems.extend(graph::name_problem(name, &path));
        problems.extend(check_message(campaign, message, &path));
    }
    problems
}

fn check_message(campaign: &Campaign, message: &Message, path: &str) -> Vec<Problem> {
    let mut problems = sender(&[("from", &message.from), ("reply_to", &message.reply_to)], &format!("{path}."));
    if message.from.is_none() && campaign.from.is_none() {
        let mend =
            "add `from: Name <name@example.com>` to the message or to the campaign, unless the project names one";
        problems.push(Problem::warning(path, "the project's sender is used, if it names one", mend));
    }
    if message.subject.trim().is_empty() || message.subject.trim().contains(['\n', '\r']) {
        let what = "the subject is empty or has more than one line";
        problems.push(Problem::error(format!("{path}.subject"), what, "write one line"));
    }
    if message.html.is_none() && message.text.is_none() {
        problems.push(Problem::error(path, "the message has no body", "add `html:` or `text:`"));
    }
    for (name, body) in [("html", &message.html), ("text", &message.text)] {
        if body.as_ref().is_some_and(|body| body.text.trim().is_empty()) {
            problems.push(Problem::error(
                format!("{path}.{name}"),
                "the body is empty",
                "write it, or remove the line",
            ));
        }
    }
    problems
}

/// Addresses that are written out; one made by Liquid is seen when a mail is rendered.
fn sender(fields: &[(&str, &Option<String>)], path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, text) in fields {
        let Some(text) = text.as_deref().filter(|text| !is_liquid(text)) else { continue };
        if let Err(error) = Mailbox::parse(text) {
            let mend = "write `name@example.com` or `Name <name@example.com>`";
            problems.push(Problem::error(format!("{path}{key}"), format!("`{text}` {error}"), mend));
        }
    }
    problems
}

fn conditions(campaign: &Campaign) -> Vec<Problem> {
    let mut lists = vec![
        ("trigger.filters".to_owned(), &campaign.trigger.filters),
        ("conditions".to_owned(), &campaign.conditions),
        ("exits.unless".to_owned(), &campaign.exits.unless),
    ];
    match &campaign.trigger.on {
        On::Enters { enters: list } => lists.push(("trigger.enters".to_owned(), list)),
        On::Leaves { leaves: list } => lists.push(("trigger.leaves".to_owned(), list)),
        _ => {}
    }
    lists.extend(campaign.goal.iter().map(|goal| ("goal.filters".to_owned(), &goal.filters)));
    let messages = campaign.messages.iter();
    lists.extend(messages.map(|(name, message)| {
        (format!("{}.conditions", templates::message_path(campaign, name)), &message.conditions)
    }));
    let mut problems = Vec::new();
    for (index, step) in campaign.steps.iter().enumerate() {
        match &step.action {
            Action::Send { conditions, .. } => lists.push((format!("steps[{index}].conditions"), conditions)),
            Action::WaitFor(wait) => lists.push((format!("steps[{index}].wait_for.filters"), &wait.wait_for.filters)),
            Action::WaitUntil(wait) if wait.wait_until.is_empty() => {
                let path = format!("steps[{index}].wait_until");
                problems.push(Problem::error(path, "there are no conditions to wait for", "add one"));
            }
            Action::WaitUntil(wait) => lists.push((format!("steps[{index}].wait_until"), &wait.wait_until)),
            Action::Filter { filter, .. } if filter.is_empty() => {
                let path = format!("steps[{index}].filter");
                problems.push(Problem::error(path, "the filter has no conditions", "add one, or remove the step"));
            }
            Action::Filter { filter, .. } => lists.push((format!("steps[{index}].filter"), filter)),
            Action::Branch { branch, .. } => {
                for (arm, Arm { when, .. }) in branch.iter().enumerate() {
                    let path = format!("steps[{index}].branch[{arm}].when");
                    if when.is_empty() {
                        let mend = "add one, or lead there by `else`";
                        problems.push(Problem::error(&path, "the arm has no conditions", mend));
                    }
                    lists.push((path, when));
                }
            }
            Action::Wait { wait } => {
                let path =
                    if campaign.kind == Kind::Workflow { format!("steps[{index}].wait") } else { "wait".to_owned() };
                problems.extend(wait.problems().into_iter().map(|problem| problem.below(&path)));
            }
            _ => {}
        }
    }
    let names = journey::names(campaign);
    for (path, list) in lists {
        for (index, condition) in list.iter().enumerate() {
            check_condition(condition, &names, &format!("{path}[{index}]"), 1, &mut problems);
        }
    }
    problems
}

fn check_condition(
    condition: &Condition,
    names: &BTreeSet<&str>,
    path: &str,
    depth: usize,
    problems: &mut Vec<Problem>,
) {
    if depth > CONDITION_DEPTH {
        let what = format!("conditions are nested more than {CONDITION_DEPTH} levels deep");
        return problems.push(Problem::error(path, what, "say it with fewer groups"));
    }
    let key = match condition {
        Condition::All { all } if all.is_empty() => return problems.push(empty(path, "all")),
        Condition::Any { any } if any.is_empty() => return problems.push(empty(path, "any")),
        Condition::Tag { tag } | Condition::NoTag { no_tag: tag } if tag.trim().is_empty() => {
            return problems.push(Problem::error(path, "the tag is empty", "name a tag"));
        }
        Condition::Property(of) => {
            if let Test::Contains(part) | Test::DoesNotContain(part) = &of.test
                && part.is_empty()
            {
                problems.push(Problem::error(
                    path,
                    "every text contains the empty text",
                    "write the text to look for, or use `is_set`",
                ));
            }
            return problems.extend(journey::unheard(&of.property, names, path));
        }
        Condition::Triggered(history) => return problems.extend(check_history(history, path)),
        Condition::Tag { .. } | Condition::NoTag { .. } => return,
        Condition::All { .. } => "all",
        Condition::Any { .. } => "any",
        Condition::Not { .. } => "not",
    };
    for (index, inner) in condition.children().enumerate() {
        let place = if key == "not" { String::new() } else { format!("[{index}]") };
        check_condition(inner, names, &format!("{path}.{key}{place}"), depth + 1, problems);
    }
}

fn empty(path: &str, key: &str) -> Problem {
    Problem::error(format!("{path}.{key}"), "the group is empty", "add a condition, or remove the group")
}

fn check_history(history: &History, path: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let longest = i64::from(COUNTED_DAYS) * 24 * 3_600;
    if let Some(within) = history.within.filter(|within| within.length().as_secs() > longest) {
        let what = format!("{within} is longer than events are counted by day");
        problems.push(Problem::error(
            format!("{path}.within"),
            what,
            format!("write at most `{COUNTED_DAYS} days`, or leave it out: ever"),
        ));
    }
    if let (Some(least), Some(most)) = (history.at_least.max(history.exactly), history.at_most.or(history.exactly))
        && least > most
    {
        let what = format!("no count is at least {least} and at most {most}");
        problems.push(Problem::error(path, what, "turn them round, or keep one of them"));
    }
    if history.at_least == Some(0) {
        problems.push(Problem::error(
            format!("{path}.at_least"),
            "at least 0 times is always true",
            "write `exactly: 0` for never",
        ));
    }
    problems
}
