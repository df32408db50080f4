//! The rules of AWS that dunlin relies on, each with the page that documents it, asked of whoever claims to answer like
//! AWS: `infra/local` by default, in process and over a port; another implementation, or AWS itself, when it is named.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "what fails fails the test")]

mod aws;
mod begin;
mod documents;
mod dynamodb;
mod local;
mod place;
mod queue;
mod rule;
mod s3;
mod ses;
mod sns;
mod sqs;
mod table;
mod verdict;

use crate::place::Place;
use crate::rule::{Section, Service};
use crate::verdict::{Verdict, Verdicts};

/// Every rule, in the order of the table.
const SECTIONS: &[Section] = &[
    Section { service: Service::DynamoDb, title: "DynamoDB: items", rules: dynamodb::items::RULES },
    Section { service: Service::DynamoDb, title: "DynamoDB: limits of items", rules: dynamodb::limits::RULES },
    Section { service: Service::DynamoDb, title: "DynamoDB: queries", rules: dynamodb::queries::RULES },
    Section { service: Service::DynamoDb, title: "DynamoDB: batches", rules: dynamodb::batches::RULES },
    Section { service: Service::DynamoDb, title: "DynamoDB: transactions", rules: dynamodb::transactions::RULES },
    Section { service: Service::DynamoDb, title: "DynamoDB: units", rules: dynamodb::units::RULES },
    Section { service: Service::Sqs, title: "SQS: sending", rules: sqs::sending::RULES },
    Section { service: Service::Sqs, title: "SQS: batches", rules: sqs::batches::RULES },
    Section { service: Service::Sqs, title: "SQS: receiving", rules: sqs::receiving::RULES },
    Section { service: Service::Sqs, title: "SQS: receipts", rules: sqs::receipts::RULES },
    Section { service: Service::Sqs, title: "SQS: queues and dead letters", rules: sqs::dead_letters::RULES },
    Section { service: Service::Sqs, title: "SQS: FIFO order", rules: sqs::fifo_order::RULES },
    Section { service: Service::Sqs, title: "SQS: FIFO deduplication", rules: sqs::fifo_ids::RULES },
    Section { service: Service::Ses, title: "SES: sending", rules: ses::sending::RULES },
    Section { service: Service::Ses, title: "SES: events", rules: ses::events::RULES },
    Section { service: Service::S3, title: "S3", rules: s3::RULES },
    Section { service: Service::Sns, title: "SNS", rules: sns::RULES },
];

/// Asks a local cloud everything: it must be right, and offer everything but what says why not.
async fn local(place: Place) {
    let verdicts = Verdicts::of(&place, SECTIONS).await;
    verdicts.write(place.name());
    let wrong = [verdicts.wrong(), verdicts.lacking()].concat();
    assert!(wrong.is_empty(), "{} breaks {} rules: {wrong:#?}", place.name(), wrong.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_aws_keeps_every_rule_in_process() {
    local(Place::InProcess).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_aws_keeps_every_rule_over_a_port() {
    local(Place::OverAPort).await;
}

/// Runs only when `DUNLIN_CONFORMANCE_NAME` names somebody. Other implementations may be wrong: the table says where.
/// AWS may not: there, either our rule is wrong or its documentation.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_named_answers() {
    let Some(place) = Place::named() else { return };
    let verdicts = Verdicts::of(&place, SECTIONS).await;
    verdicts.write(place.name());
    let wrong = [verdicts.wrong(), verdicts.lacking()].concat();
    println!("{}: {}\n{wrong:#?}", place.name(), verdicts.counts());
    assert!(!place.is_aws() || wrong.is_empty(), "AWS breaks {} rules", wrong.len());
}

#[test]
fn the_table_has_every_rule_with_its_source() {
    let page = table::committed();
    for section in SECTIONS {
        for rule in section.rules {
            assert!(
                page.contains(&table::head(rule)),
                "docs/testing.md lacks {}: tests/conformance/run --write",
                rule.id
            );
        }
    }
    let rows = page.lines().filter(|line| line.contains("](https://")).count();
    assert_eq!(rows, SECTIONS.iter().map(|section| section.rules.len()).sum::<usize>(), "rows of rules that are gone");
}

/// Compares the table with what was found, or writes it: the last step of `tests/conformance/run`.
#[test]
fn the_table_is_what_was_found() {
    let Some(wish) = place::setting("DUNLIN_CONFORMANCE_TABLE") else { return };
    let found = table::page(SECTIONS, &Verdicts::read);
    match wish.as_str() {
        "write" => table::write(&found),
        _ => {
            let differing = table::differing(&table::committed(), &found);
            assert!(
                differing.is_empty(),
                "docs/testing.md differs from what was found (--write writes it):\n{differing}"
            );
        }
    }
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_page_of_aws() {
    let mut names = std::collections::BTreeSet::new();
    for rule in SECTIONS.iter().flat_map(|section| section.rules) {
        assert!(names.insert(rule.id), "{} twice", rule.id);
        assert!(rule.source.starts_with("https://docs.aws.amazon.com/"), "{}", rule.source);
    }
}

#[test]
fn a_verdict_survives_being_written_down() {
    for verdict in [Verdict::Kept, Verdict::NotOffered("no SNS".into()), Verdict::Broken("accepted".into())] {
        assert_eq!(Verdict::parse(&verdict.to_string()), Some(verdict));
    }
}
