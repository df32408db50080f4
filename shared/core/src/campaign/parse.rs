//! From files to campaigns: YAML (or JSON, which is YAML), bodies from the files beside it, partials from the folder
//! `partials`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::form::{self, Form};
use super::locate::Node;
use super::problem::did_you_mean;
use super::{Body, Campaign, Problem, schema, shape, templates};
use crate::limits::CAMPAIGN_BYTES;

/// The most values in one campaign file: far more than two hundred steps with conditions need.
const NODES: usize = 50_000;
/// The deepest nesting in a campaign file.
const DEPTH: usize = 64;

/// What a folder holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// The campaigns that parse, in the order of their files. They may still have problems.
    pub campaigns: Vec<Campaign>,
    /// What is wrong, file by file.
    pub problems: Vec<Problem>,
}

impl Folder {
    /// Whether nothing stands in the way of publishing all of it.
    #[must_use]
    pub fn is_publishable(&self) -> bool {
        !self.campaigns.is_empty() && !self.problems.iter().any(Problem::is_error)
    }
}

/// Reads and checks all campaigns of a folder: its `.yaml`, `.yml` and `.json` files, not those of folders in it.
/// `files` are all texts of the folder by their path in it, with `/` between.
#[must_use]
pub fn folder(files: &BTreeMap<String, String>) -> Folder {
    let mut folder = Folder { campaigns: Vec::new(), problems: Vec::new() };
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    for (file, text) in files.iter().filter(|(file, _)| is_campaign(file)) {
        let (campaign, problems) = checked(file, text, files);
        folder.problems.extend(problems);
        let Some(campaign) = campaign else { continue };
        if let Some(other) = ids.insert(campaign.id.to_string(), file) {
            let what = format!("`{}` is the id of the campaign in {other}, too", campaign.id);
            let problem = Problem::error("id", what, "give each campaign an id of its own");
            folder.problems.extend(placed(vec![problem], file, text));
        }
        folder.campaigns.push(campaign);
    }
    if !files.keys().any(|file| is_campaign(file)) {
        folder.problems.push(Problem::error("", "there is no campaign here", "add a file like `welcome.yaml`"));
    }
    folder
}

/// Reads and checks one campaign file. `files` are all texts of its folder. None where it does not parse; what does may
/// have problems, too.
#[must_use]
pub fn checked(file: &str, text: &str, files: &BTreeMap<String, String>) -> (Option<Campaign>, Vec<Problem>) {
    match parse(file, text, files) {
        Err(problems) => (None, problems),
        Ok(campaign) => {
            let problems = placed(super::check(&campaign), file, text);
            (Some(campaign), problems)
        }
    }
}

/// Whether the file at this path of the folder is a campaign's.
#[must_use]
pub fn is_campaign(file: &str) -> bool {
    let ends = [".yaml", ".yml", ".json"].iter().any(|end| file.ends_with(end));
    ends && !file.contains('/') && !file.starts_with('.')
}

/// Reads one campaign file. `files` are all texts of its folder, for bodies and partials.
///
/// # Errors
/// All problems that were found, each with `file`. What parses may still have problems that [`super::check`] finds.
pub fn parse(file: &str, text: &str, files: &BTreeMap<String, String>) -> Result<Campaign, Vec<Problem>> {
    let within = |problems| placed(problems, file, text);
    let mut document = read(text).map_err(|problem| within(vec![problem]))?;
    let mut problems = Vec::new();
    if let Value::Object(fields) = &mut document {
        name_after(file, fields);
        include(fields, files, &mut problems);
    }
    problems.extend(shape::check(schema(), &document));
    if !problems.is_empty() {
        return Err(within(problems));
    }
    let mut campaign = build(document).map_err(within)?;
    add_partials(&mut campaign, files);
    Ok(campaign)
}

/// Reads a campaign from its JSON, as [`Campaign`] serialises. For who receives a campaign that others have parsed.
///
/// # Errors
/// All places where it does not fit the schema.
pub fn from_json(document: Value) -> Result<Campaign, Vec<Problem>> {
    let problems = shape::check(schema(), &document);
    if problems.is_empty() { build(document) } else { Err(problems) }
}

/// From a document that fits the schema to a campaign.
fn build(document: Value) -> Result<Campaign, Vec<Problem>> {
    let unread = |error: serde_json::Error| vec![Problem::error("", error.to_string(), "compare it with the schema")];
    let form: Form = serde_json::from_value(document).map_err(unread)?;
    Campaign::try_from(form).map_err(|form::FormError { path, what, mend }| vec![Problem::error(path, what, mend)])
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_nodes: NODES, max_depth: DEPTH },
    }
}

/// Gives problems of a campaign's own file its name and their lines.
fn placed(problems: Vec<Problem>, file: &str, text: &str) -> Vec<Problem> {
    let shape = if problems.is_empty() { None } else { Node::parse(text, options()) };
    let own = |problem: &Problem| problem.file.is_none();
    let place = |problem: Problem| match &shape {
        Some(shape) if own(&problem) => Problem { line: shape.line(&problem.path), ..problem }.within(file),
        _ => problem.within(file),
    };
    problems.into_iter().map(place).collect()
}

fn read(text: &str) -> Result<Value, Problem> {
    if text.len() > CAMPAIGN_BYTES {
        let what = format!("the file has {} bytes, more than {CAMPAIGN_BYTES}", text.len());
        return Err(Problem::error("", what, "move bodies into files of their own, or shorten them"));
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let path = error.location().map(|at| format!("line {}, column {}", at.line(), at.column())).unwrap_or_default();
        let whole = error.to_string();
        let what = whole.split(" at line ").next().unwrap_or(&whole);
        Problem::error(
            path,
            format!("is not YAML: {what}"),
            "look at the indentation, and put texts with `:`, `#`, `{` or `%` in quotes",
        )
    })
}

/// Gives a campaign without an id the one that its file's name makes.
fn name_after(file: &str, fields: &mut Map<String, Value>) {
    let stem = file.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let slug: String =
        stem.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(64).collect();
    if !slug.trim_matches('-').is_empty() {
        fields.entry("id").or_insert_with(|| format!("cmp_{}", slug.trim_matches('-')).into());
    }
}

/// Puts the content of `{file: NAME}` bodies beside their names.
fn include(fields: &mut Map<String, Value>, files: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let mut messages: Vec<(String, &mut Value)> = Vec::new();
    let mut bodies: Vec<(String, &mut Value)> = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("message", message) => messages.push((key.clone(), message)),
            ("messages", Value::Object(named)) => {
                messages.extend(named.iter_mut().map(|(name, message)| (format!("messages.{name}"), message)));
            }
            ("partials", Value::Object(named)) => {
                bodies.extend(named.iter_mut().map(|(name, body)| (format!("partials.{name}"), body)))
            }
            _ => {}
        }
    }
    for (path, message) in messages {
        let parts =
            message.as_object_mut().into_iter().flatten().filter(|(key, _)| matches!(key.as_str(), "html" | "text"));
        bodies.extend(parts.map(|(key, body)| (format!("{path}.{key}"), body)));
    }
    for (path, body) in bodies {
        let Value::Object(body) = body else { continue };
        let Some(Value::String(name)) = body.get("file") else { continue };
        match files.get(name) {
            Some(text) => {
                body.insert("text".to_owned(), text.as_str().into());
            }
            None if body.contains_key("text") => {}
            None => {
                let near = files.keys().map(String::as_str).filter(|file| !is_campaign(file));
                let mend = did_you_mean(name, near, "add it to the folder; there are");
                problems.push(Problem::error(format!("{path}.file"), format!("there is no file `{name}`"), mend));
            }
        }
    }
}

/// Adds the partials that the templates render, and those that these render.
fn add_partials(campaign: &mut Campaign, files: &BTreeMap<String, String>) {
    let mut wanted: Vec<String> =
        templates::sources(campaign).flat_map(|source| templates::partials(source.text)).collect();
    while let Some(name) = wanted.pop() {
        let file = format!("partials/{name}.liquid");
        let Some(text) = files.get(&file) else { continue };
        campaign.partials.entry(name).or_insert_with(|| {
            wanted.extend(templates::partials(text));
            Body { text: text.clone(), file: Some(file) }
        });
    }
}
