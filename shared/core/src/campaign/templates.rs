//! The templates of a campaign: that they parse, that the partials they render are there, that what they read exists.

use std::collections::BTreeSet;

use dunlin_liquid::Template;

use super::form::ONLY;
use super::problem::{Problem, did_you_mean, nearest};
use super::{Body, Campaign, Kind, Message};

/// What a template may read.
pub const VARIABLES: [&str; 5] = ["user", "event", "journey", "url", "campaign"];

/// One template and where it stands.
pub(super) struct Source<'c> {
    /// The path in the campaign.
    pub(super) path: String,
    /// The file it came from.
    file: Option<&'c str>,
    /// The Liquid.
    pub(super) text: &'c str,
    /// Whether it makes HTML.
    html: bool,
}

impl Source<'_> {
    fn place(&self, problem: Problem) -> Problem {
        match self.file {
            Some(file) => problem.within(file),
            None => problem,
        }
    }
}

/// Where a message stands in the file.
pub(super) fn message_path(campaign: &Campaign, name: &str) -> String {
    if campaign.kind != Kind::Workflow && name == ONLY { ONLY.to_owned() } else { format!("messages.{name}") }
}

/// All templates.
pub(super) fn sources(campaign: &Campaign) -> impl Iterator<Item = Source<'_>> {
    let own = [("from", &campaign.from), ("reply_to", &campaign.reply_to)];
    let own = own.into_iter().filter_map(|(key, text)| {
        Some(Source { path: key.to_owned(), file: None, text: text.as_deref()?, html: false })
    });
    let messages = campaign.messages.iter().flat_map(|(name, message)| parts(&message_path(campaign, name), message));
    let partials = campaign.partials.iter().map(|(name, body)| source(format!("partials.{name}"), body, false));
    own.chain(messages).chain(partials)
}

fn parts<'c>(path: &str, message: &'c Message) -> Vec<Source<'c>> {
    let line = |key: &str, text: Option<&'c str>| {
        Some(Source { path: format!("{path}.{key}"), file: None, text: text?, html: false })
    };
    let body = |key: &str, body: Option<&'c Body>| Some(source(format!("{path}.{key}"), body?, key == "html"));
    let all = [
        line("from", message.from.as_deref()),
        line("reply_to", message.reply_to.as_deref()),
        line("subject", Some(&message.subject)),
        line("preheader", message.preheader.as_deref()),
        body("html", message.html.as_ref()),
        body("text", message.text.as_ref()),
    ];
    all.into_iter().flatten().collect()
}

fn source(path: String, body: &Body, html: bool) -> Source<'_> {
    Source { path, file: body.file.as_deref(), text: &body.text, html }
}

/// The partials that a source renders; none where it does not parse.
pub(super) fn partials(text: &str) -> Vec<String> {
    Template::parse(text).map(|template| template.partials().map(str::to_owned).collect()).unwrap_or_default()
}

/// What is wrong with the templates.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let mut problems: Vec<Problem> = sources(campaign).flat_map(|source| check_one(campaign, &source)).collect();
    problems.extend(circles(campaign));
    let html = sources(campaign).filter(|source| source.html && has_link_in_attribute(source.text));
    problems.extend(html.map(|source| {
        let mend = "write `href=\"{{ url.unsubscribe_link }}\"`, or `{{ url.unsubscribe }}` by itself";
        source.place(Problem::warning(&source.path, "`url.unsubscribe` is a whole link, not an address", mend))
    }));
    if !campaign.ignores_unsubscribes() {
        problems.extend(campaign.messages.iter().filter_map(|(name, message)| unsubscribe(campaign, name, message)));
    }
    problems
}

fn check_one(campaign: &Campaign, source: &Source<'_>) -> Vec<Problem> {
    let template = match Template::parse(source.text) {
        Ok(template) => template,
        Err(error) => {
            let at = format!("line {}, column {}", error.line, error.column);
            let path = if source.file.is_some() { at } else { format!("{} {at}", source.path) };
            let whole = error.kind.to_string();
            let (what, mend) = whole.split_once("; ").unwrap_or((&whole, "look at the Liquid there"));
            return vec![source.place(Problem::error(path, what, mend))];
        }
    };
    let mut problems = Vec::new();
    for name in template.partials().filter(|name| !campaign.partials.contains_key(*name)) {
        let near = nearest(name, campaign.partials.keys().map(String::as_str));
        let mend = near
            .map_or_else(|| format!("add the file `partials/{name}.liquid`"), |near| format!("did you mean `{near}`?"));
        problems.push(source.place(Problem::error(&source.path, format!("there is no partial `{name}`"), mend)));
    }
    let partial = source.path.starts_with("partials.");
    for name in template.variables().filter(|name| !partial && !VARIABLES.contains(name)) {
        let mend = did_you_mean(name, VARIABLES, &format!("did you mean `user.{name}` or `event.{name}`? There are"));
        problems.push(source.place(Problem::warning(&source.path, format!("`{name}` is always empty"), mend)));
    }
    problems
}

/// Partials that render themselves, by whatever way round.
fn circles(campaign: &Campaign) -> Vec<Problem> {
    let renders = |name: &str| campaign.partials.get(name).map(|body| partials(&body.text)).unwrap_or_default();
    let circle = |name: &&String| {
        let (mut seen, mut open) = (BTreeSet::new(), renders(name));
        while let Some(inner) = open.pop() {
            if seen.insert(inner.clone()) {
                open.extend(renders(&inner));
            }
        }
        seen.contains(name.as_str())
    };
    let error = |name: &String| {
        Problem::error(
            format!("partials.{name}"),
            format!("the partial `{name}` renders itself"),
            "remove that `render`",
        )
    };
    campaign.partials.keys().filter(circle).map(error).collect()
}

/// Whether `url.unsubscribe`, which prints a whole `<a>`, stands where an address belongs.
fn has_link_in_attribute(html: &str) -> bool {
    let dense: String = html.chars().filter(|c| !c.is_whitespace()).collect();
    ["=\"{{url.unsubscribe}}", "='{{url.unsubscribe}}"].iter().any(|slip| dense.contains(slip))
}

/// A marketing mail without a way out.
fn unsubscribe(campaign: &Campaign, name: &str, message: &Message) -> Option<Problem> {
    let bodies = || [&message.html, &message.text].into_iter().flatten().map(|body| body.text.clone());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = bodies().collect();
    while let Some(text) = open.pop() {
        if text.contains("url.unsubscribe") {
            return None;
        }
        let more = partials(&text).into_iter().filter(|name| seen.insert(name.clone()));
        open.extend(more.filter_map(|name| Some(campaign.partials.get(&name)?.text.clone())));
    }
    let mend = "add `{{ url.unsubscribe }}`, or a link of your own to `{{ url.unsubscribe_link }}`";
    Some(Problem::warning(message_path(campaign, name), "the mail has no link to unsubscribe", mend))
}
