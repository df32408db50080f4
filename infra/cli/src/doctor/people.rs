//! What operators made and have to look after: projects, their campaigns and tokens; parked tasks.

use dunlin_aws::control::Control;
use dunlin_aws::parked::Parked;

use super::report::{Finding, Report};
use super::stage::Stage;

/// Projects that are looked at.
const PROJECTS: usize = 20;
/// Parked tasks that are counted.
const MANY: usize = 100;

/// Looks at parked tasks.
pub(crate) async fn look_at_parked(stage: &Stage) -> Finding {
    let check = Finding::of("parked tasks");
    match Parked::new(&stage.clients, &stage.prefix).list(None, MANY).await {
        Ok(parked) if parked.is_empty() => check.saw("none"),
        Ok(parked) => {
            let more = if parked.len() == MANY { "at least " } else { "" };
            let mend = "see why with `dunlin parked list`, mend the cause, then `dunlin parked redrive`";
            check.warn_unless(false, format!("{more}{}", parked.len()), mend)
        }
        Err(error) => check.wrong(error.to_string(), "look again; if it stays, the table of parked tasks is ill"),
    }
}

/// Looks at projects, one after the other.
pub(crate) async fn look_at_projects(stage: &Stage, report: &mut Report) {
    let control = Control::new(&stage.clients, &stage.prefix);
    let projects = match control.projects().await {
        Ok(projects) => projects,
        Err(error) => {
            let mend = "look again; if it stays, the control table is ill";
            report.add(Finding::of("projects").wrong(error.to_string(), mend));
            return;
        }
    };
    let none = "there is none, so nobody can send anything";
    let mend = "make one: POST /manage/v1/projects";
    let all = if projects.len() > PROJECTS { format!(", of which {PROJECTS} are looked at") } else { String::new() };
    let count = Finding::of("projects").saw(format!("{}{all}", projects.len()));
    report.add(count.warn_unless(!projects.is_empty(), none, mend));
    for project in projects.iter().take(PROJECTS) {
        let check = Finding::of(format!("project {}", project.id));
        let (heads, tokens) = (control.heads(&project.id).await, control.tokens(&project.id).await);
        let (Ok(heads), Ok(tokens)) = (heads, tokens) else {
            report.add(check.wrong("cannot be read", "look again; if it stays, the control table is ill"));
            continue;
        };
        let paused = heads.iter().filter(|head| head.paused).count();
        let valid = tokens.iter().filter(|token| token.revoked_at.is_none()).count();
        let push = format!("dunlin push DIR --project {}", project.id);
        let issue = format!("make one: POST /manage/v1/projects/{}/tokens", project.id);
        report.add(
            check
                .saw(format!("{} campaigns, {paused} of them paused; {valid} tokens", heads.len()))
                .warn_unless(!heads.is_empty(), "no campaign is published", push)
                .warn_unless(valid > 0, "no token is valid: its clients are refused", issue),
        );
    }
}
