//! What watched functions are told: the environment that the template gives them in AWS, as a file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dunlin_aws::resources::{BUCKET, DEFAULT_PREFIX};

use crate::keys::{self, Keys};

/// The file's name in the data folder; `Cargo.toml` names it too.
const FILE: &str = "lambda.env";
/// Where `cargo lambda watch` listens, and which file it reads, unless it is told otherwise.
const USUAL: (&str, &str) = ("9000", ".dunlin/lambda.env");

/// The variables.
pub(crate) fn environment(keys: &Keys, aws_port: u16, functions: &str) -> Vec<(&'static str, String)> {
    let aws = format!("http://127.0.0.1:{aws_port}");
    vec![
        ("AWS_ENDPOINT_URL", aws.clone()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("DUNLIN_PREFIX", DEFAULT_PREFIX.to_owned()),
        ("DUNLIN_QUEUES", format!("{aws}/000000000000")),
        ("DUNLIN_BUCKET", format!("{DEFAULT_PREFIX}{BUCKET}")),
        ("DUNLIN_PUBLIC", functions.to_owned()),
        ("DUNLIN_SIGNING_KEYS", keys.signing_keys.clone()),
        ("DUNLIN_ADMIN_KEY", keys.admin_key.clone()),
    ]
}

/// Writes them, for their owner's eyes only; returns where.
pub(crate) fn write(folder: &Path, environment: &[(&str, String)]) -> anyhow::Result<PathBuf> {
    let mut text = "# Written by `dunlin aws` at each start, read by `cargo lambda watch`.\n".to_owned();
    for (name, value) in environment {
        text.push_str(&format!("{name}={value}\n"));
    }
    let path = folder.join(FILE);
    keys::write(folder, FILE, &text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The command that watches functions with this file.
pub(crate) fn command(functions: &str, file: &Path) -> String {
    let mut command = "cargo lambda watch".to_owned();
    match functions.rsplit(':').next() {
        Some(port) if port != USUAL.0 => command.push_str(&format!(" --invoke-port {port}")),
        _ => {}
    }
    if file != Path::new(USUAL.1) {
        command.push_str(&format!(" --env-file {}", file.display()));
    }
    command
}

#[cfg(test)]
mod tests {
    use dunlin_aws::settings::{Setting, Settings};

    use super::*;
    use crate::project::tests::Scratch;

    #[test]
    fn watched_functions_find_every_setting_in_the_file() {
        let folder = Scratch::new("lambda-env");
        let keys = Keys::generate();
        let path = write(folder.path(), &environment(&keys, 9001, "http://localhost:9000")).expect("written");
        let text = std::fs::read_to_string(path).expect("a text");
        let find =
            |name: &str| text.lines().find_map(|line| Some(line.split_once('=')?).filter(|(key, _)| *key == name));
        let settings = Settings::read(&Setting::ALL, |name| find(name).map(|(_, value)| value.to_owned()));
        let settings = settings.expect("complete");
        assert_eq!(settings.public, "http://localhost:9000");
        assert_eq!(settings.admin_key, Some(keys.admin_key));
        assert_eq!(settings.endpoint.as_deref(), Some("http://127.0.0.1:9001"));
    }

    #[test]
    fn the_command_says_only_what_is_unusual() {
        assert_eq!(command("http://localhost:9000", Path::new(".dunlin/lambda.env")), "cargo lambda watch");
        assert_eq!(
            command("http://localhost:9100", Path::new("d/lambda.env")),
            "cargo lambda watch --invoke-port 9100 --env-file d/lambda.env"
        );
    }
}
