//! A stage: its tables, queues, bucket and mail, through the SDK.

use dunlin_aws::Clients;
use dunlin_aws::resources::{CONTROL, PARKED, QUEUES, TABLES, TIMERS};

use super::report::Report;
use super::{bucket, mail, people, queues, tables};

/// What is looked at, and how.
pub(crate) struct Stage {
    /// The SDK's clients.
    pub(crate) clients: Clients,
    /// What stands before every name.
    pub(crate) prefix: String,
    /// The bucket's name.
    pub(crate) bucket: String,
    /// How the AWS CLI is called for it.
    pub(crate) aws_cli: String,
    /// Whether it is in AWS, where more can be set.
    pub(crate) is_aws: bool,
}

impl Stage {
    /// How to make what is missing.
    pub(crate) fn remake(&self) -> &'static str {
        if self.is_aws {
            "deploy the stack again (infra/template.yaml), or name the right --prefix and --region"
        } else {
            "start `dunlin` again: it makes what is missing"
        }
    }

    /// How to set what is set differently.
    pub(crate) fn reset(&self) -> &'static str {
        if self.is_aws { "deploy the stack again (infra/template.yaml)" } else { "start `dunlin` again" }
    }

    /// A name of the stage.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Looks at all of it.
pub(crate) async fn look(stage: &Stage, report: &mut Report) {
    let mut standing = Vec::new();
    for table in TABLES {
        let finding = tables::look(stage, table).await;
        let (is_refused, is_unreached) = (finding.is_refused, finding.is_unreached);
        report.add(finding);
        if !is_refused {
            standing.push(table.name);
        }
        if is_unreached {
            report.skip(&["the other tables"], "DynamoDB cannot be reached");
            break;
        }
    }
    for queue in QUEUES {
        let finding = queues::look(stage, queue).await;
        let is_unreached = finding.is_unreached;
        report.add(finding);
        if is_unreached {
            report.skip(&["the other queues"], "SQS cannot be reached");
            break;
        }
        report.add(queues::look_at_dead_letters(stage, queue).await);
    }
    report.add(bucket::look(stage).await);
    mail::look(stage, report).await;
    for walk in tables::WALKS {
        let name = tables::walk_name(walk);
        if standing.contains(&TIMERS.name) {
            report.add(tables::look_at_cursor(stage, walk).await);
        } else {
            report.skip(&[name], "the table of timers cannot be read");
        }
    }
    if standing.contains(&PARKED.name) {
        report.add(people::look_at_parked(stage).await);
    } else {
        report.skip(&["parked tasks"], "the table of parked tasks cannot be read");
    }
    if standing.contains(&CONTROL.name) {
        people::look_at_projects(stage, report).await;
    } else {
        report.skip(&["projects"], "the control table cannot be read");
    }
}
