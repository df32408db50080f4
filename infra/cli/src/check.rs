//! `dunlin check`: what is wrong with a folder of campaigns.

use std::path::Path;

use anyhow::Context as _;
use dunlin_core::campaign::{self, Campaign, Folder, Problem};
use dunlin_local::folder;

use crate::args::Check;
use crate::run::Outcome;
use crate::say;

/// Checks the folder, or prints the schema.
pub(crate) fn check(asked: &Check) -> anyhow::Result<Outcome> {
    let Some(path) = asked.folder.as_deref().filter(|_| !asked.schema) else {
        say::line(serde_json::to_string_pretty(campaign::schema())?);
        return Ok(Outcome::Well);
    };
    let folder = read(path)?;
    show(&folder.problems);
    if folder.is_publishable() {
        for campaign in &folder.campaigns {
            say::line(format!("{} {}  {}", say::green("ok"), campaign.id, say::dim(&campaign.name)));
        }
        return Ok(Outcome::Well);
    }
    say::line(verdict(&folder));
    Ok(Outcome::Unwell)
}

/// Reads a folder.
pub(crate) fn read(path: &Path) -> anyhow::Result<Folder> {
    folder::read(path).context("the campaigns cannot be read")
}

/// Reads one campaign's file; where it does not parse, prints why. What does parse may have problems, too.
pub(crate) fn one(path: &Path) -> anyhow::Result<Option<(Campaign, Vec<Problem>)>> {
    let (campaign, problems) = folder::one(path)?;
    if campaign.is_none() {
        show(&problems);
    }
    Ok(campaign.map(|campaign| (campaign, problems)))
}

/// Prints problems, one a line.
pub(crate) fn show(problems: &[Problem]) {
    shown(problems).for_each(say::line);
}

/// Problems, one a line, with what they name in its colour.
pub(crate) fn shown(problems: &[Problem]) -> impl Iterator<Item = String> {
    problems.iter().map(|problem| {
        let text = problem.to_string();
        let (label, rest) = text.split_once(": ").unwrap_or(("", &text));
        let label = if problem.is_error() { say::red(label) } else { say::yellow(label) };
        format!("{label}: {rest}")
    })
}

/// How many problems stand in the way.
pub(crate) fn verdict(folder: &Folder) -> String {
    let errors = folder.problems.iter().filter(|problem| problem.is_error()).count();
    let warnings = folder.problems.len() - errors;
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{} and {}: nothing can be published", plural(errors, "error"), plural(warnings, "warning"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::project::tests::Scratch;

    #[test]
    fn a_problem_says_where_it_is_what_it_is_and_how_to_mend_it() {
        let scratch = Scratch::new("check");
        let text = "name: Hello\nkind: workflow\ntrigger: {event: Signed up}\nfrom: a@example.com\nsteps:\n  \
                    - send: helo\nmessages:\n  hello: {subject: Hi, text: '{{ url.unsubscribe }}'}\n";
        fs::write(scratch.path().join("hello.yaml"), text).expect("written");
        let folder = read(scratch.path()).expect("a folder");
        let lines: Vec<String> = folder.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "error: hello.yaml:6: steps[0].send: there is no message `helo`; did you mean `hello`?",
                "warning: hello.yaml:8: messages.hello: no step sends the message `hello`; add a step `send: hello`, or remove it",
            ]
        );
        assert_eq!(verdict(&folder), "1 error and 1 warning: nothing can be published");
        let asked = Check { folder: Some(scratch.path().to_owned()), schema: false };
        assert_eq!(check(&asked).expect("checked"), Outcome::Unwell);
    }

    #[test]
    fn the_schema_needs_no_folder() {
        assert_eq!(check(&Check { folder: None, schema: true }).expect("printed"), Outcome::Well);
    }

    #[test]
    fn a_file_in_place_of_its_folder_is_an_error_that_says_so() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/welcome.yaml");
        let error = read(&file).expect_err("refused");
        assert!(format!("{error:#}").ends_with("welcome.yaml is a file; give its folder"), "{error:#}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_it() {
        let error = read(Path::new("/no/such/folder")).expect_err("refused");
        assert!(format!("{error:#}").contains("/no/such/folder"), "{error:#}");
    }
}
