//! SES: the account, the configuration set and its events, identities.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::{EventDestination, VerificationStatus};
use dunlin_aws::resources::{CONFIGURATION_SET, FEEDBACK_EVENTS};

use super::refusal::Refusal;
use super::report::{Finding, Report};
use super::stage::Stage;

/// The share of the daily quota beyond which it may not last.
const NEARLY: f64 = 0.8;
/// Identities that are looked at: one page.
const IDENTITIES: i32 = 1000;

/// Looks at mail.
pub(crate) async fn look(stage: &Stage, report: &mut Report) {
    let finding = account(stage).await;
    let is_unreached = finding.is_unreached;
    report.add(finding);
    if is_unreached {
        return report.skip(&["configuration set, identities"], "SES cannot be reached");
    }
    if report.add(configuration_set(stage).await) {
        report.add(events(stage).await);
    } else {
        report.skip(&["SES events"], "the configuration set cannot be read");
    }
    if stage.is_aws {
        report.add(identities(stage).await);
    }
}

async fn account(stage: &Stage) -> Finding {
    match stage.clients.ses.get_account().send().await {
        Ok(account) => judge(&account),
        Err(error) => Refusal::of(&error).finding("SES account", "open the SES console in this region once"),
    }
}

fn judge(account: &GetAccountOutput) -> Finding {
    let quota = account.send_quota();
    let [most, sent, rate] = [
        quota.map(|of| of.max24_hour_send()),
        quota.map(|of| of.sent_last24_hours()),
        quota.map(|of| of.max_send_rate()),
    ]
    .map(|number| number.unwrap_or(0.0));
    // A quota of -1 is none.
    let plenty = most <= 0.0 || sent < most * NEARLY;
    let status = account.enforcement_status().unwrap_or("HEALTHY");
    Finding::of("SES account")
        .saw(format!("{sent} of {most} mails in 24 hours, {rate} a second"))
        .wrong_unless(
            account.sending_enabled(),
            "sending is switched off",
            "see the account's health in the SES console; then: aws sesv2 put-account-sending-attributes --sending-enabled",
        )
        .wrong_unless(status != "SHUTDOWN", "AWS has shut sending down", "answer the case that AWS has opened")
        .warn_unless(status != "PROBATION", "AWS watches it: too many bounces or complaints", "see the reputation page of SES")
        .warn_unless(
            account.production_access_enabled(),
            "it is in the sandbox: only verified addresses get mail",
            "ask for production access in the SES console",
        )
        .warn_unless(plenty, "the day's quota is nearly used", "ask for a higher sending quota (Service Quotas)")
}

async fn configuration_set(stage: &Stage) -> Finding {
    let name = stage.name(CONFIGURATION_SET);
    let check = "SES configuration set";
    match stage.clients.ses.get_configuration_set().configuration_set_name(&name).send().await {
        Ok(set) => Finding::of(check).saw(&name).wrong_unless(
            set.sending_options().is_none_or(|options| options.sending_enabled()),
            "its sending is switched off",
            format!(
                "aws sesv2 put-configuration-set-sending-options --sending-enabled --configuration-set-name {name}"
            ),
        ),
        Err(error) => Refusal::of(&error).finding(&format!("{check} {name}"), stage.remake()),
    }
}

async fn events(stage: &Stage) -> Finding {
    let name = stage.name(CONFIGURATION_SET);
    let asked = stage.clients.ses.get_configuration_set_event_destinations().configuration_set_name(name);
    match asked.send().await {
        Ok(answer) => reported(answer.event_destinations(), stage.reset()),
        Err(error) => Refusal::of(&error).finding("SES events", stage.remake()),
    }
}

/// Which events come back over SNS.
fn reported(destinations: &[EventDestination], mend: &str) -> Finding {
    let over_sns = destinations.iter().filter(|to| to.enabled() && to.sns_destination().is_some());
    let told: Vec<&str> = over_sns.flat_map(|to| to.matching_event_types()).map(|kind| kind.as_str()).collect();
    let missing: Vec<&str> = FEEDBACK_EVENTS.into_iter().filter(|kind| !told.contains(kind)).collect();
    let finding = Finding::of("SES events");
    let finding = if missing.is_empty() { finding.saw(format!("{} over SNS", told.join(", "))) } else { finding };
    finding.wrong_unless(missing.is_empty(), format!("not reported over SNS: {}", missing.join(", ")), mend)
}

async fn identities(stage: &Stage) -> Finding {
    let check = "SES identities";
    match stage.clients.ses.list_email_identities().page_size(IDENTITIES).send().await {
        Ok(answer) => {
            let verified = answer.email_identities().iter().filter(|identity| {
                identity.sending_enabled() && identity.verification_status() == Some(&VerificationStatus::Success)
            });
            let names: Vec<&str> = verified.filter_map(|identity| identity.identity_name()).collect();
            let finding = Finding::of(check);
            let finding = if names.is_empty() { finding } else { finding.saw(names.join(", ")) };
            finding.wrong_unless(
                !names.is_empty(),
                "no domain or address is verified: SES takes no mail",
                "verify the domain of your senders: aws sesv2 create-email-identity --email-identity example.com",
            )
        }
        Err(error) => Refusal::of(&error).finding(check, stage.remake()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::types::{EventType, SendQuota, SnsDestination};

    use super::*;
    use crate::doctor::report::Health;

    #[test]
    fn an_account_is_wrong_when_it_cannot_send_and_to_be_watched_when_it_soon_cannot() {
        let account = |sending: bool, production: bool, sent: f64| {
            let quota = SendQuota::builder().max24_hour_send(100.0).max_send_rate(1.0).sent_last24_hours(sent).build();
            let account = GetAccountOutput::builder().sending_enabled(sending).production_access_enabled(production);
            judge(&account.send_quota(quota).build()).health
        };
        assert_eq!(account(true, true, 10.0), Health::Ok);
        assert_eq!(account(true, false, 10.0), Health::Warning);
        assert_eq!(account(true, true, 81.0), Health::Warning);
        assert_eq!(account(false, true, 10.0), Health::Wrong);
    }

    #[test]
    fn events_that_nobody_reports_are_named() {
        let destination = |enabled: bool, kinds: &[&str]| {
            let sns = SnsDestination::builder().topic_arn("arn:aws:sns:us-east-1:1:t").build().expect("a topic");
            let kinds = kinds.iter().map(|kind| EventType::from(*kind)).collect();
            EventDestination::builder()
                .name("feedback")
                .enabled(enabled)
                .sns_destination(sns)
                .set_matching_event_types(Some(kinds))
                .build()
                .expect("a destination")
        };
        let all = destination(true, &FEEDBACK_EVENTS);
        assert_eq!(reported(std::slice::from_ref(&all), "").health, Health::Ok);
        for destinations in [vec![], vec![destination(false, &FEEDBACK_EVENTS)]] {
            assert_eq!(reported(&destinations, "").health, Health::Wrong);
        }
        let finding = reported(&[destination(true, &FEEDBACK_EVENTS[..2])], "");
        assert!(finding.found[0].contains("BOUNCE, COMPLAINT") && !finding.found[0].contains("SEND,"), "{finding:?}");
    }
}
