//! What `SendEmail` takes, and by which error it refuses: `dunlin_aws::mailer` tells outcomes apart by them.

use aws_sdk_sesv2::types::Destination;

use super::{SUCCESS, raw, tag};
use crate::aws::Aws;
use crate::documents::{ses_api, ses_guide};
use crate::rule::{Checked, Rule, Wrong, holds, refused, rule, some};

const SEND: &str = ses_api!("SendEmail");
const TAG: &str = ses_api!("MessageTag");

pub(crate) const RULES: &[Rule] = &[
    rule!(a_raw_message_is_taken_with_an_id, "`SendEmail` takes a raw message and answers with a message id", SEND),
    rule!(every_mail_has_an_id_of_its_own, "The same request again is another mail with another id", SEND),
    rule!(
        a_missing_configuration_set_is_not_found,
        "A configuration set that is not there is `NotFoundException`",
        SEND
    ),
    rule!(an_address_without_domain_is_a_bad_request, "An address without a domain is `BadRequestException`", SEND),
    rule!(
        a_local_part_has_7_bits,
        "A local part with other than ASCII is `BadRequestException`",
        ses_api!("Destination")
    ),
    rule!(a_mail_without_recipient_is_a_bad_request, "A mail to nobody is `BadRequestException`", SEND),
    rule!(a_mail_has_at_most_50_recipients, "A mail may have 50 recipients, and not 51", ses_guide!("quotas")),
    rule!(
        a_tag_is_made_of_letters_and_digits,
        "A tag's name and value are ASCII letters, digits, `_` and `-`, else `BadRequestException`",
        TAG
    ),
    rule!(a_tag_has_at_most_256_characters, "A tag's value may have 256 characters, and not 257", TAG),
    rule!(
        a_mail_needs_a_sender,
        "A raw message without `From`, and no `FromEmailAddress`, is `BadRequestException`",
        SEND
    ),
    rule!(a_sender_must_be_verified, "A mail from an identity that is not verified is `MessageRejected`", SEND),
    rule!(the_account_shows_its_quota, "`GetAccount` shows the quota", ses_api!("GetAccount")),
];

const BAD: &[&str] = &["BadRequestException"];

async fn a_raw_message_is_taken_with_an_id(aws: &Aws) -> Checked {
    let sent = aws.mail(SUCCESS).email_tags(tag("delivery", "dlv_1-a")).send().await?;
    holds(sent.message_id().is_some_and(|id| !id.is_empty()), "no id")
}

async fn every_mail_has_an_id_of_its_own(aws: &Aws) -> Checked {
    let (first, second) = (aws.mail(SUCCESS).send().await?, aws.mail(SUCCESS).send().await?);
    holds(some("id", first.message_id())? != some("id", second.message_id())?, "the same id")
}

async fn a_missing_configuration_set_is_not_found(aws: &Aws) -> Checked {
    let mail = aws.mail(SUCCESS).configuration_set_name(aws.fresh("none"));
    refused(mail.send().await, &["NotFoundException"])
}

async fn an_address_without_domain_is_a_bad_request(aws: &Aws) -> Checked {
    refused(aws.mail("nobody").send().await, BAD)
}

async fn a_local_part_has_7_bits(aws: &Aws) -> Checked {
    refused(aws.mail("gräta@simulator.amazonses.com").send().await, BAD)
}

async fn a_mail_without_recipient_is_a_bad_request(aws: &Aws) -> Checked {
    let mail = raw(&format!("From: {}\r\nSubject: x\r\n\r\nx\r\n", aws.from));
    refused(aws.ses.send_email().content(mail).send().await, BAD)
}

async fn a_mail_has_at_most_50_recipients(aws: &Aws) -> Checked {
    let to = |count: usize| {
        let to = (0..count).map(|n| format!("success+{n}@simulator.amazonses.com"));
        Destination::builder().set_to_addresses(Some(to.collect())).build()
    };
    aws.mail(SUCCESS).destination(to(50)).send().await?;
    refused(aws.mail(SUCCESS).destination(to(51)).send().await, &[])
}

async fn a_tag_is_made_of_letters_and_digits(aws: &Aws) -> Checked {
    aws.mail(SUCCESS).email_tags(tag("a_Z-9", "prj_1-Z")).send().await?;
    refused(aws.mail(SUCCESS).email_tags(tag("a b", "x")).send().await, BAD)?;
    refused(aws.mail(SUCCESS).email_tags(tag("a", "x y")).send().await, BAD)?;
    refused(aws.mail(SUCCESS).email_tags(tag("a", "é")).send().await, BAD)
}

async fn a_tag_has_at_most_256_characters(aws: &Aws) -> Checked {
    aws.mail(SUCCESS).email_tags(tag("a", &"x".repeat(256))).send().await?;
    refused(aws.mail(SUCCESS).email_tags(tag("a", &"x".repeat(257))).send().await, BAD)
}

async fn a_mail_needs_a_sender(aws: &Aws) -> Checked {
    let destination = Destination::builder().to_addresses(SUCCESS).build();
    let mail = aws.ses.send_email().destination(destination).content(raw("Subject: x\r\n\r\nx\r\n"));
    refused(mail.send().await, BAD)
}

async fn a_sender_must_be_verified(aws: &Aws) -> Checked {
    if aws.is_ours() {
        return Err(Wrong::NotOffered("every sender counts as verified".to_owned()));
    }
    let mail = aws.mail(SUCCESS).from_email_address("shop@not-verified.example");
    refused(mail.send().await, &["MessageRejected"])
}

async fn the_account_shows_its_quota(aws: &Aws) -> Checked {
    let quota = some("quota", aws.ses.get_account().send().await?.send_quota)?;
    holds(quota.max24_hour_send() > 0.0 && quota.max_send_rate() > 0.0, "a quota of nothing")
}
