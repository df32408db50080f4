//! Log lines for people, on standard error. Nothing of ours logs an address or a property; other crates speak up from
//! warnings only.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging at a level, or by a filter in the syntax of tracing-subscriber.
pub(crate) fn start(level: &str) -> anyhow::Result<()> {
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_env_filter(filter(level)?);
    // Only fails when a subscriber is there already: then logging has started.
    drop(lines.try_init());
    Ok(())
}

fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let plain = level.chars().all(char::is_alphanumeric);
    let directives = if plain { format!("warn,dunlin={level}") } else { level.to_owned() };
    EnvFilter::try_new(directives).with_context(|| {
        format!("`{level}` is no log level: say error, warn, info, debug, trace, or a filter like `dunlin_send=debug`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_for_our_crates_and_the_others_only_warn() {
        let text = filter("debug").expect("a level").to_string();
        assert!(text.contains("dunlin=debug") && text.contains("warn"), "{text}");
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_with_those_that_are() {
        let error = filter("loud").expect_err("refused").to_string();
        assert!(error.contains("`loud` is no log level") && error.contains("info"), "{error}");
    }
}
