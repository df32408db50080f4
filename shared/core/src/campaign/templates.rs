//! The templates of a campaign: that they parse, that the partials they render are there, that what they read exists.

use std::collections::BTreeSet;

use dunlin_liquid::Template;

use super::form::ONLY;
use super::problem::{Problem, did_you_mean, nearest};
use super::{Body, Campaign, Kind, Message, journey, values};

/// What a template may read.
pub const VARIABLES: [&str; 5] = ["user", "event", "journey", "url", "campaign"];

/// All that is below the variables that are the same for everybody. (What is below the others, data alone says.)
pub(crate) const FIELDS: [(&str, &[&str]); 2] =
    [("campaign", &["id", "name"]), ("url", &["permalink", "permalink_link", "unsubscribe", "unsubscribe_link"])];

/// What a value of a step may read: it is no mail.
const OF_STEPS: [&str; 3] = ["user", "event", "journey"];

/// Whether a text that may be Liquid is.
pub(crate) fn is_liquid(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// The HTML part of a mail.
    Html,
    /// Any other part of a mail, or of more than one.
    Mail,
    /// What a step sends or writes.
    Value,
}

/// One template and where it stands.
pub(super) struct Source<'c> {
    /// The path in the campaign.
    pub(super) path: String,
    /// The file it came from.
    file: Option<&'c str>,
    /// The Liquid.
    pub(super) text: &'c str,
    makes: Makes,
}

impl<'c> Source<'c> {
    /// A value of a step.
    pub(super) fn value(path: String, text: &'c str) -> Self {
        Self { path, file: None, text, makes: Makes::Value }
    }

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

/// All templates of its mails.
pub(super) fn sources(campaign: &Campaign) -> impl Iterator<Item = Source<'_>> {
    let own = [("from", &campaign.from), ("reply_to", &campaign.reply_to)];
    let own = own.into_iter().filter_map(|(key, text)| {
        Some(Source { path: key.to_owned(), file: None, text: text.as_deref()?, makes: Makes::Mail })
    });
    let messages = campaign.messages.iter().flat_map(|(name, message)| parts(&message_path(campaign, name), message));
    let partials = campaign.partials.iter().map(|(name, body)| source(format!("partials.{name}"), body, Makes::Mail));
    own.chain(messages).chain(partials)
}

fn parts<'c>(path: &str, message: &'c Message) -> Vec<Source<'c>> {
    let line = |key: &str, text: Option<&'c str>| {
        Some(Source { path: format!("{path}.{key}"), file: None, text: text?, makes: Makes::Mail })
    };
    let body = |key: &str, body: Option<&'c Body>, makes| Some(source(format!("{path}.{key}"), body?, makes));
    let all = [
        line("from", message.from.as_deref()),
        line("reply_to", message.reply_to.as_deref()),
        line("subject", Some(&message.subject)),
        line("preheader", message.preheader.as_deref()),
        body("html", message.html.as_ref(), Makes::Html),
        body("text", message.text.as_ref(), Makes::Mail),
    ];
    all.into_iter().flatten().collect()
}

fn source(path: String, body: &Body, makes: Makes) -> Source<'_> {
    Source { path, file: body.file.as_deref(), text: &body.text, makes }
}

/// The partials that a source renders; none where it does not parse.
pub(super) fn partials(text: &str) -> Vec<String> {
    Template::parse(text).map(|template| template.partials().map(str::to_owned).collect()).unwrap_or_default()
}

/// What is wrong with the templates.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let all = sources(campaign).chain(values::sources(campaign));
    let mut problems: Vec<Problem> = all.flat_map(|source| check_one(campaign, &source)).collect();
    problems.extend(circles(campaign));
    let html = sources(campaign).filter(|source| source.makes == Makes::Html && has_link_in_attribute(source.text));
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
    let mut problems = fields(campaign, source, &template);
    if source.makes == Makes::Value {
        problems.extend(template.partials().map(|name| {
            let what = format!("the partial `{name}` is rendered in mails only");
            source.place(Problem::error(&source.path, what, "write its text here"))
        }));
        problems.extend(template.variables().filter(|name| !OF_STEPS.contains(name)).map(|name| {
            let mend =
                did_you_mean(name, OF_STEPS, &format!("did you mean `user.{name}` or `event.{name}`? There are"));
            source.place(Problem::warning(&source.path, format!("`{name}` is always empty"), mend))
        }));
        return problems;
    }
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

/// What it reads of the variables whose fields are known, and is not there. Not in a partial, which may be given others.
fn fields(campaign: &Campaign, source: &Source<'_>, template: &Template) -> Vec<Problem> {
    if source.path.starts_with("partials.") {
        return Vec::new();
    }
    let names = journey::names(campaign);
    let unheard = template.fields("journey").filter(|name| !names.contains(name));
    let mut problems: Vec<Problem> = unheard.map(|name| journey::empty(&names, name, &source.path)).collect();
    for (root, known) in FIELDS.iter().filter(|_| source.makes != Makes::Value) {
        problems.extend(template.fields(root).filter(|name| !known.contains(name)).map(|name| {
            let all = || known.iter().map(|name| format!("`{root}.{name}`")).collect::<Vec<_>>().join(", ");
            let near = nearest(name, known.iter().copied());
            let mend =
                near.map_or_else(|| format!("there are {}", all()), |near| format!("did you mean `{root}.{near}`?"));
            Problem::warning(&source.path, format!("`{root}.{name}` is always empty"), mend)
        }));
    }
    problems.into_iter().map(|problem| source.place(problem)).collect()
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
