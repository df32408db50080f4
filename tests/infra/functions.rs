//! Functions: their settings, binaries and time-outs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use dunlin_aws::resources;
use dunlin_aws::settings::{Setting, Settings};

use crate::template::Template;

/// Each function with the settings it needs.
pub(crate) const FUNCTIONS: [(&str, &[Setting]); 9] = [
    ("intake", dunlin_intake::SETTINGS),
    ("evaluate", dunlin_evaluate::SETTINGS),
    ("schedule", dunlin_schedule::SETTINGS),
    ("sweep", dunlin_sweep::SETTINGS),
    ("send", dunlin_send::SETTINGS),
    ("hook", dunlin_hook::SETTINGS),
    ("feedback", dunlin_feedback::SETTINGS),
    ("link", dunlin_link::SETTINGS),
    ("manage", dunlin_manage::SETTINGS),
];

#[test]
fn every_crate_of_functions_is_deployed_as_its_binary_and_nothing_else_is() {
    let template = Template::read();
    let folder = std::fs::read_dir(dunlin_tests::root().join("functions")).expect("functions/");
    let crates: BTreeSet<String> =
        folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(crates, FUNCTIONS.iter().map(|(stem, _)| (*stem).to_owned()).collect());
    for stem in &crates {
        let function = template.function(stem);
        assert_eq!(function["Properties"]["CodeUri"], format!("../functions/{stem}"));
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda");
        assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], format!("dunlin-{stem}"));
        let manifest = dunlin_tests::root().join(format!("functions/{stem}/Cargo.toml"));
        let manifest = std::fs::read_to_string(manifest).expect("a manifest");
        assert!(manifest.contains(&format!("name = \"dunlin-{stem}\"")), "{stem}");
    }
    assert_eq!(template.resources("AWS::Serverless::Function").len(), crates.len());
}

#[test]
fn every_function_is_given_the_settings_it_needs_and_no_others() {
    let template = Template::read();
    let globals = &template.document["Globals"]["Function"]["Environment"]["Variables"];
    for (stem, needs) in FUNCTIONS {
        let own = &template.function(stem)["Properties"]["Environment"]["Variables"];
        let given: BTreeSet<&str> = [globals, own]
            .into_iter()
            .filter_map(|one| one.as_object())
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        // Lambda itself sets the region, and the log level is not one of ours.
        let mut needed: BTreeSet<&str> = needs.iter().map(|setting| setting.name()).collect();
        assert!(needed.remove("AWS_REGION"), "{stem}");
        assert!(needed.insert("RUST_LOG"), "{stem}");
        assert_eq!(given, needed, "{stem}");
    }
}

#[test]
fn what_the_template_gives_is_what_the_code_reads() {
    let template = Template::read();
    for (stem, needs) in FUNCTIONS {
        let globals = &template.document["Globals"]["Function"]["Environment"]["Variables"];
        let own = &template.function(stem)["Properties"]["Environment"]["Variables"];
        let get = |name: &str| {
            let value = if own[name].is_null() { &globals[name] } else { &own[name] };
            let text = if name == "AWS_REGION" { "eu-west-1".to_owned() } else { template.text(value) };
            Some(as_deployed(&text)).filter(|text| !text.is_empty())
        };
        let settings = Settings::read(needs, get).unwrap_or_else(|error| panic!("{stem}: {error}"));
        assert_eq!(settings.prefix, "dunlin-");
        if needs.contains(&Setting::Queues) {
            let url = settings.queue_url(resources::EVENTS);
            assert_eq!(url, "https://sqs.eu-west-1.amazonaws.com/123456789012/dunlin-events.fifo");
        }
    }
}

/// A text with the values that AWS puts in.
fn as_deployed(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, value) in [
        ("AWS::AccountId", "123456789012"),
        ("AWS::Region", "eu-west-1"),
        ("AWS::URLSuffix", "amazonaws.com"),
        ("{{resolve:secretsmanager:dunlin-signing-key-a}}", "0123456789012345678901234567890123456789"),
        ("{{resolve:secretsmanager:AdminKey}}", "0123456789012345678901234567890123456789"),
        ("Store", "dunlin-store-123456789012-eu-west-1"),
    ] {
        text = text.replace(name, value);
    }
    text
}

#[test]
fn a_function_dies_before_the_gateway_or_the_next_minute_gives_it_up() {
    let template = Template::read();
    let timeout = |stem: &str| template.function(stem)["Properties"]["Timeout"].as_u64().expect("a time-out");
    // HTTP APIs wait for 30 s at most; intake may need two operations of 8 s, the queue's and the spill's.
    for stem in ["intake", "link", "manage"] {
        assert!((17..=29).contains(&timeout(stem)), "{stem}");
    }
    assert!(timeout("sweep") < 60);
    let sweep = &template.function("sweep")["Properties"];
    assert_eq!(sweep["Events"]["Minute"]["Properties"]["Schedule"], "rate(1 minute)");
    assert_eq!(sweep["EventInvokeConfig"]["MaximumRetryAttempts"], 0);
}

#[test]
fn every_function_logs_to_a_group_that_forgets() {
    let template = Template::read();
    for (stem, _) in FUNCTIONS {
        let group = template.text(&template.function(stem)["Properties"]["LoggingConfig"]["LogGroup"]);
        let group = &template.document["Resources"][&group]["Properties"];
        assert_eq!(template.text(&group["LogGroupName"]), format!("/aws/lambda/dunlin-{stem}"));
        assert_eq!(template.text(&group["RetentionInDays"]), "30");
    }
}

/// What a function is built of: each package with its version and features, by name.
fn built_of(stem: &str) -> BTreeMap<String, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--locked",
        "--offline",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p} {f}",
    ]);
    let tree = cargo.args(["--package", &format!("dunlin-{stem}")]).current_dir(dunlin_tests::root()).output();
    let tree = tree.expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).expect("text");
    let whole = |line: &str| line.trim_end_matches(" (*)").trim().to_owned();
    lines.lines().filter(|line| !line.is_empty()).map(|line| (name_and_version(line), whole(line))).collect()
}

fn name_and_version(line: &str) -> String {
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn one_build_of_the_dependencies_serves_every_function() {
    // A package with other features is another package: `sam build` would compile the whole SDK again for it. Those of the
    // HTTP runtime are spelled out in shared/aws/Cargo.toml.
    let first = built_of(FUNCTIONS[0].0);
    for (stem, _) in &FUNCTIONS[1..] {
        for (package, whole) in built_of(stem) {
            let there = first.get(&package).unwrap_or(&whole);
            assert_eq!(&whole, there, "{stem} and {} build {package} with other features", FUNCTIONS[0].0);
        }
    }
}
