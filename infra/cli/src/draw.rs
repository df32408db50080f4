//! `dunlin draw`: a campaign as a picture.

use std::path::PathBuf;

use clap::Args as Options;
use dunlin_drawing::{Diagram, mermaid, svg};

use crate::run::Outcome;
use crate::{check, say};

/// Options of `draw`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin draw examples/onboarding.yaml > onboarding.svg        a picture
  dunlin draw examples/onboarding.yaml --mermaid               text that Git hosts and editors draw

A campaign need not be publishable to be drawn, but it must parse. Exits with 1 when it does not.")]
pub(crate) struct Draw {
    /// The campaign's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write Mermaid text in place of SVG
    #[arg(long)]
    mermaid: bool,
}

/// Draws it to standard output.
pub(crate) fn draw(asked: &Draw) -> anyhow::Result<Outcome> {
    let Some((campaign, _)) = check::one(&asked.file)? else { return Ok(Outcome::Unwell) };
    let diagram = Diagram::of(&campaign);
    let text = if asked.mermaid { mermaid(&diagram) } else { svg(&diagram) };
    say::line(text.trim_end());
    Ok(Outcome::Well)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::project::tests::Scratch;

    fn drawn(text: &str) -> anyhow::Result<Outcome> {
        let scratch = Scratch::new("draw");
        let file = scratch.path().join("hello.yaml");
        fs::write(&file, text).expect("written");
        draw(&Draw { file, mermaid: true })
    }

    #[test]
    fn what_parses_is_drawn_and_what_does_not_is_told() {
        let good = "name: Hello\nkind: workflow\ntrigger: {event: Signed up}\nsteps:\n  - send: nothing yet\n";
        assert_eq!(drawn(good).expect("drawn"), Outcome::Well);
        assert_eq!(drawn("name: Hello\n").expect("told"), Outcome::Unwell);
    }

    #[test]
    fn the_drawing_in_the_examples_is_what_is_drawn() {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let (campaign, problems) = check::one(&examples.join("onboarding.yaml")).expect("read").expect("parsed");
        assert_eq!(problems, []);
        let drawn = mermaid(&Diagram::of(&campaign));
        let readme = fs::read_to_string(examples.join("README.md")).expect("read");
        assert!(readme.contains(drawn.trim_end()), "put this into examples/README.md:\n{drawn}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_that_names_it() {
        let error = draw(&Draw { file: "/no/such/hello.yaml".into(), mermaid: false }).expect_err("refused");
        assert!(format!("{error:#}").contains("/no/such"), "{error:#}");
    }
}
