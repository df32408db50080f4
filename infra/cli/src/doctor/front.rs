//! The front door: whether `intake` answers, and `manage` knows the key.

use http::Method;

use super::report::{Finding, Report};
use crate::client::Client;

/// The checks of this room.
const CHECKS: [&str; 2] = ["front door", "admin key"];

/// Looks at the front door at `url`; `start` says how to open it.
pub(crate) async fn look(url: &str, admin_key: Option<&str>, start: &str, report: &mut Report) {
    let [door, key] = CHECKS;
    let client = match Client::new(url, admin_key.unwrap_or_default()) {
        Ok(client) => client,
        Err(error) => {
            report.add(Finding::of(door).wrong(format!("{error:#}"), "name it with --url"));
            return report.skip(&[key], "the front door was not found");
        }
    };
    let finding = Finding::of(door);
    let finding = match client.send(Method::GET, "/api/v2/heartbeat", None).await {
        Ok(answer) if answer.status.is_success() => finding.saw(format!("{url} answers")),
        Ok(answer) => finding.wrong(
            format!("{url}/api/v2/heartbeat answers {}", answer.status),
            "see whether it is dunlin's address, and what the log of `intake` says",
        ),
        Err(error) => finding.wrong(format!("{error:#}"), start),
    };
    if !report.add(finding) {
        return report.skip(&[key], "the front door does not answer");
    }
    let Some(_) = admin_key else {
        return report.skip(&[key], "none was given: --admin-key or DUNLIN_ADMIN_KEY");
    };
    let finding = Finding::of(key);
    report.add(match client.send(Method::GET, "/manage/v1/projects", None).await {
        Ok(answer) if answer.status.is_success() => finding.saw("`manage` takes it"),
        Ok(answer) if answer.status.as_u16() == 401 => {
            finding.wrong("`manage` refuses it", "give the key that this dunlin was started or deployed with")
        }
        Ok(answer) => finding.wrong(format!("`manage` answers {}", answer.status), "see what the log of `manage` says"),
        Err(error) => finding.wrong(format!("{error:#}"), "see what the log of `manage` says"),
    });
}
