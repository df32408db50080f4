//! Edges: `tests → infra/local → functions/* → shared/aws → shared/core → shared/liquid`, and `infra/cli → tests/simulation → infra/local`, and `infra/cli → shared/drawing → shared/core`.

use std::collections::BTreeSet;

use dunlin_tests::root;

/// Our dependencies of a crate, those for its own tests left out.
fn ours(manifest: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(manifest)).expect("a manifest");
    let (mut found, mut section) = (BTreeSet::new(), String::new());
    for line in text.lines() {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if section == "[dependencies]" && name.starts_with("dunlin") {
            found.insert(name.to_owned());
        }
    }
    found
}

fn depends_at_most_on(manifest: &str, allowed: &[&str]) {
    let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
    let found = ours(manifest);
    assert!(found.is_subset(&allowed), "{manifest} depends on {found:?}, and may on {allowed:?}");
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    depends_at_most_on("shared/liquid/Cargo.toml", &[]);
    depends_at_most_on("shared/core/Cargo.toml", &["dunlin-liquid"]);
    depends_at_most_on("shared/aws/Cargo.toml", &["dunlin-core"]);
    let functions = ["evaluate", "feedback", "hook", "intake", "link", "manage", "schedule", "send", "sweep"];
    for function in functions {
        depends_at_most_on(&format!("functions/{function}/Cargo.toml"), &["dunlin-aws", "dunlin-core"]);
    }
    let below = ["dunlin-aws", "dunlin-core"].map(str::to_owned);
    let mut local: Vec<String> = functions.iter().map(|function| format!("dunlin-{function}")).collect();
    local.extend(below);
    let local: Vec<&str> = local.iter().map(String::as_str).collect();
    depends_at_most_on("infra/local/Cargo.toml", &local);
    depends_at_most_on("tests/simulation/Cargo.toml", &["dunlin-local", "dunlin-aws", "dunlin-core"]);
    depends_at_most_on("shared/drawing/Cargo.toml", &["dunlin-core"]);
    let below = ["dunlin-simulation", "dunlin-local", "dunlin-aws", "dunlin-drawing", "dunlin-core"];
    depends_at_most_on("infra/cli/Cargo.toml", &below);
    depends_at_most_on("tests/Cargo.toml", &["dunlin-local", "dunlin-aws", "dunlin-core"]);
}

#[test]
fn the_domain_is_pure() {
    let io = ["tokio", "aws-", "axum", "reqwest", "ureq", "hyper", "rusqlite", "dynoxide", "rand", "tracing"];
    for manifest in ["shared/core/Cargo.toml", "shared/liquid/Cargo.toml"] {
        let text = std::fs::read_to_string(root().join(manifest)).expect("a manifest");
        let kept = text.split("[dev-dependencies]").next().unwrap_or_default();
        for line in kept.lines() {
            assert!(!io.iter().any(|name| line.starts_with(name)), "{manifest}: {line}");
        }
    }
}
