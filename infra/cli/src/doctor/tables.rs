//! Tables, and the sweep's cursors in one of them.

use aws_sdk_dynamodb::types::{
    BillingMode, KeyType, PointInTimeRecoveryStatus, ScalarAttributeType, TableDescription, TableStatus,
    TimeToLiveDescription, TimeToLiveStatus,
};
use dunlin_aws::resources::{HASH_KEY, SORT_KEY, TTL, Table};
use dunlin_aws::timers::{AHEAD, OVERDUE, Timers, Walk};
use jiff::SignedDuration;

use super::refusal::Refusal;
use super::report::Finding;
use super::stage::Stage;

/// The sweep's two walks.
pub(crate) const WALKS: [Walk; 2] = [Walk::Due, Walk::Overdue];
/// How late a walk may be: two of its minutes.
const LATE: SignedDuration = SignedDuration::from_mins(2);
/// How late it is when timers begin to be late: what it goes ahead, less what SQS holds back.
const TOO_LATE: SignedDuration = SignedDuration::from_mins(10);

/// Looks at one table.
pub(crate) async fn look(stage: &Stage, table: Table) -> Finding {
    let name = stage.name(table.name);
    let check = format!("table {name}");
    let client = &stage.clients.dynamodb;
    let described = match client.describe_table().table_name(&name).send().await {
        Ok(answer) => answer.table,
        Err(error) => return Refusal::of(&error).finding(&check, stage.remake()),
    };
    let Some(described) = described else { return Finding::unknown(check, "AWS describes nothing") };
    let finding = keys(Finding::of(&check), &described);
    let finding = match client.describe_time_to_live().table_name(&name).send().await {
        Ok(answer) => time_to_live(finding, answer.time_to_live_description.as_ref(), stage),
        Err(error) => return Refusal::of(&error).finding(&check, stage.remake()),
    };
    if !stage.is_aws {
        return finding;
    }
    let finding = protection(finding, &described, stage);
    match client.describe_continuous_backups().table_name(&name).send().await {
        Ok(answer) => {
            let recovery = answer.continuous_backups_description.and_then(|of| of.point_in_time_recovery_description);
            let status = recovery.and_then(|of| of.point_in_time_recovery_status);
            let on = status == Some(PointInTimeRecoveryStatus::Enabled);
            finding.warn_unless(on, "no point-in-time recovery", stage.reset())
        }
        Err(error) => Refusal::of(&error).finding(&check, stage.remake()),
    }
}

fn keys(finding: Finding, table: &TableDescription) -> Finding {
    let status = table.table_status().unwrap_or(&TableStatus::Active);
    let key = |name: &str, kind: &KeyType| {
        let keyed = table.key_schema().iter().any(|key| key.attribute_name() == name && key.key_type() == kind);
        let text = |of: &aws_sdk_dynamodb::types::AttributeDefinition| {
            of.attribute_name() == name && of.attribute_type() == &ScalarAttributeType::S
        };
        keyed && table.attribute_definitions().iter().any(text)
    };
    let keys = key(HASH_KEY, &KeyType::Hash) && key(SORT_KEY, &KeyType::Range);
    let billing = table.billing_mode_summary().and_then(|of| of.billing_mode());
    finding
        .saw(status.as_str())
        .wrong_unless(*status == TableStatus::Active, "it is not active", "wait until it is, then look again")
        .wrong_unless(
            keys,
            format!("its keys are not the texts {HASH_KEY} and {SORT_KEY}"),
            "it is not dunlin's: name another --prefix, or move it away and deploy again",
        )
        .warn_unless(
            billing == Some(&BillingMode::PayPerRequest),
            "its capacity is provisioned, not on demand",
            "set its capacity to on demand: a burst is throttled else",
        )
}

fn time_to_live(finding: Finding, ttl: Option<&TimeToLiveDescription>, stage: &Stage) -> Finding {
    let on = ttl.is_some_and(|ttl| {
        let on = matches!(ttl.time_to_live_status(), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
        on && ttl.attribute_name() == Some(TTL)
    });
    finding.wrong_unless(on, format!("time to live is not on `{TTL}`: items stay for ever"), stage.reset())
}

fn protection(finding: Finding, table: &TableDescription, stage: &Stage) -> Finding {
    let on = table.deletion_protection_enabled() == Some(true);
    let mend = "deploy the stack with Protection=true, unless its data may go";
    finding.warn_unless(on || !stage.is_aws, "no deletion protection", mend)
}

/// What a walk is called in the report.
pub(crate) fn walk_name(walk: Walk) -> &'static str {
    match walk {
        Walk::Due => "sweep of due timers",
        Walk::Overdue => "sweep of overdue runs",
    }
}

/// Looks how far a walk of `sweep` is behind.
pub(crate) async fn look_at_cursor(stage: &Stage, walk: Walk) -> Finding {
    let check = Finding::of(walk_name(walk));
    let mend = if stage.is_aws {
        "see whether the schedule of `sweep` is enabled and what its log says; what is late is done once it runs"
    } else {
        "see what the log of `dunlin` says about `sweep`; it runs each minute while dunlin runs"
    };
    let cursor = match Timers::new(&stage.clients, &stage.prefix).cursor(walk).await {
        Ok(cursor) => cursor,
        Err(error) => return check.wrong(error.to_string(), mend),
    };
    let Some(cursor) = cursor else { return check.wrong("it has never run", mend) };
    let reach = match walk {
        Walk::Due => AHEAD,
        Walk::Overdue => -OVERDUE,
    };
    let behind = (stage.clients.clock.now() + reach).duration_since(cursor.upto);
    let seconds = behind.as_secs().max(0);
    let check = if behind <= LATE { check.saw(format!("ran {seconds} s ago")) } else { check };
    let late = format!("it is {} minutes behind", behind.as_mins());
    if behind > TOO_LATE { check.wrong(late, mend) } else { check.warn_unless(behind <= LATE, late, mend) }
}
