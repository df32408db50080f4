use super::*;

/// The text of a fixture.
macro_rules! fixture {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../tests/fixtures/feedback/", $name, ".json")))
    };
}

fn received_at() -> Timestamp {
    "2026-03-02T09:01:00Z".parse().expect("an instant")
}

fn read(text: &str) -> Feedback {
    Feedback::parse(text, received_at()).expect("feedback")
}

fn bounce(kind: BounceType) -> FeedbackKind {
    let (status, diagnostic) = match &kind {
        BounceType::Permanent(PermanentBounce::Unknown(_)) | BounceType::Unknown { .. } => ("5.0.0", "smtp; 550"),
        BounceType::Permanent(_) => ("5.1.1", "smtp; 550 5.1.1 user unknown"),
        BounceType::Transient(_) => ("4.2.2", "smtp; 452 4.2.2 mailbox full"),
        BounceType::Undetermined => return FeedbackKind::Bounce(Bounce { kind, status: None, diagnostic: None }),
    };
    FeedbackKind::Bounce(Bounce { kind, status: Some(status.into()), diagnostic: Some(diagnostic.into()) })
}

fn complaint(kind: ComplaintType) -> FeedbackKind {
    FeedbackKind::Complaint(Complaint {
        kind: Some(kind),
        subtype: None,
        user_agent: Some("ExampleFeedbackLoop/1.0".into()),
    })
}

fn suppressed(subtype: Option<ComplaintSubType>) -> FeedbackKind {
    FeedbackKind::Complaint(Complaint { kind: None, subtype, user_agent: None })
}

fn delay(kind: DelayType) -> FeedbackKind {
    FeedbackKind::DeliveryDelay { kind, expires_at: "2026-03-02T23:00:00.914Z".parse().ok() }
}

fn delivery() -> FeedbackKind {
    FeedbackKind::Delivery { smtp_response: Some("250 2.6.0 Message received".into()), processing_millis: Some(2546) }
}

#[test]
fn every_permanent_bounce_suppresses_and_is_not_soft() {
    use PermanentBounce as P;
    let table = [
        (fixture!("bounce-permanent-general"), P::General),
        (fixture!("bounce-permanent-no-email"), P::NoEmail),
        (fixture!("bounce-permanent-suppressed"), P::Suppressed),
        (fixture!("bounce-permanent-on-account-suppression-list"), P::OnAccountSuppressionList),
        (fixture!("bounce-permanent-on-tenant-suppression-list"), P::OnTenantSuppressionList),
        (fixture!("bounce-permanent-email-validation-suppressed"), P::EmailValidationSuppressed),
        (fixture!("bounce-permanent-unsubscribed-recipient"), P::UnsubscribedRecipient),
        (fixture!("bounce-permanent-unknown"), P::Unknown("SomethingNew".into())),
    ];
    assert_eq!(table.len(), P::ALL.len() + 1, "a fixture for each");
    for ((name, text), subtype) in table {
        let feedback = read(text);
        assert_eq!(feedback.kind, bounce(BounceType::Permanent(subtype)), "{name}");
        assert_eq!(feedback.suppresses(), Some(SuppressionReason::HardBounce), "{name}");
        assert!(!feedback.kind.is_soft_bounce(), "{name}");
    }
}

#[test]
fn a_bounce_that_may_pass_is_soft_and_suppresses_nothing() {
    use TransientBounce as T;
    let table = [
        (fixture!("bounce-transient-general"), BounceType::Transient(T::General)),
        (fixture!("bounce-transient-mailbox-full"), BounceType::Transient(T::MailboxFull)),
        (fixture!("bounce-transient-message-too-large"), BounceType::Transient(T::MessageTooLarge)),
        (fixture!("bounce-transient-custom-timeout-exceeded"), BounceType::Transient(T::CustomTimeoutExceeded)),
        (fixture!("bounce-transient-content-rejected"), BounceType::Transient(T::ContentRejected)),
        (fixture!("bounce-transient-attachment-rejected"), BounceType::Transient(T::AttachmentRejected)),
        (fixture!("bounce-undetermined"), BounceType::Undetermined),
        (fixture!("bounce-unknown"), BounceType::Unknown { kind: "Quantum".into(), subtype: "Superposed".into() }),
    ];
    assert_eq!(table.len(), T::ALL.len() + 2, "a fixture for each");
    for ((name, text), kind) in table {
        let feedback = read(text);
        assert_eq!(feedback.kind, bounce(kind), "{name}");
        assert_eq!(feedback.suppresses(), None, "{name}");
        assert!(feedback.kind.is_soft_bounce(), "{name}");
    }
}

#[test]
fn every_complaint_suppresses_except_not_spam() {
    use ComplaintType as C;
    let table = [
        (fixture!("complaint-abuse"), complaint(C::Abuse)),
        (fixture!("complaint-auth-failure"), complaint(C::AuthFailure)),
        (fixture!("complaint-fraud"), complaint(C::Fraud)),
        (fixture!("complaint-not-spam"), complaint(C::NotSpam)),
        (fixture!("complaint-other"), complaint(C::Other)),
        (fixture!("complaint-virus"), complaint(C::Virus)),
        (fixture!("complaint-unknown"), complaint(C::Unknown("opt-out-list".into()))),
        (fixture!("complaint-without-report"), suppressed(None)),
        (
            fixture!("complaint-on-account-suppression-list"),
            suppressed(Some(ComplaintSubType::OnAccountSuppressionList)),
        ),
        (fixture!("complaint-on-tenant-suppression-list"), suppressed(Some(ComplaintSubType::OnTenantSuppressionList))),
    ];
    assert_eq!(table.len(), C::ALL.len() + 2 + ComplaintSubType::ALL.len(), "a fixture for each");
    for ((name, text), kind) in table {
        let feedback = read(text);
        let reason = (name != "complaint-not-spam").then_some(SuppressionReason::Complaint);
        assert_eq!((feedback.suppresses(), feedback.kind), (reason, kind), "{name}");
    }
}

#[test]
fn every_delay_is_read_and_changes_nothing() {
    use DelayType as D;
    let table = [
        (fixture!("delivery-delay-internal-failure"), D::InternalFailure),
        (fixture!("delivery-delay-general"), D::General),
        (fixture!("delivery-delay-mailbox-full"), D::MailboxFull),
        (fixture!("delivery-delay-spam-detected"), D::SpamDetected),
        (fixture!("delivery-delay-recipient-server-error"), D::RecipientServerError),
        (fixture!("delivery-delay-ip-failure"), D::IpFailure),
        (fixture!("delivery-delay-transient-communication-failure"), D::TransientCommunicationFailure),
        (fixture!("delivery-delay-byoip-host-name-lookup-unavailable"), D::ByoIpHostNameLookupUnavailable),
        (fixture!("delivery-delay-undetermined"), D::Undetermined),
        (fixture!("delivery-delay-sending-deferral"), D::SendingDeferral),
        (fixture!("delivery-delay-unknown"), D::Unknown("SomethingNew".into())),
    ];
    assert_eq!(table.len(), D::ALL.len() + 1, "a fixture for each");
    for ((name, text), kind) in table {
        let feedback = read(text);
        assert_eq!((feedback.suppresses(), feedback.kind), (None, delay(kind)), "{name}");
    }
}

#[test]
fn every_other_event_is_read_with_what_it_says() {
    let agent = || Some("Mozilla/5.0 (iPhone)".to_owned());
    let subscription = Subscription {
        contact_list: "ContactListName".into(),
        source: Some("UnsubscribeHeader".into()),
        unsubscribe_all: true,
        opted_out: vec!["news".into()],
        opted_in: vec!["bills".into()],
    };
    let table = [
        (fixture!("send"), FeedbackKind::Send),
        (fixture!("delivery"), delivery()),
        (fixture!("sns-delivery"), delivery()),
        (fixture!("notification-bounce"), bounce(BounceType::Permanent(PermanentBounce::General))),
        (fixture!("reject"), FeedbackKind::Reject { reason: "Bad content".into() }),
        (fixture!("open"), FeedbackKind::Open { user_agent: agent() }),
        (fixture!("click"), FeedbackKind::Click { link: "https://example.com/spring".into(), user_agent: agent() }),
        (
            fixture!("rendering-failure"),
            FeedbackKind::RenderingFailure {
                template: "MyTemplate".into(),
                error: "Attribute 'attributeName' is not present in the rendering data.".into(),
            },
        ),
        (fixture!("subscription"), FeedbackKind::Subscription(subscription)),
        (fixture!("unknown"), FeedbackKind::Unknown { name: "Teleport".into() }),
    ];
    for ((name, text), kind) in table {
        let feedback = read(text);
        assert_eq!(feedback.kind, kind, "{name}");
        assert_eq!(feedback.delivery.as_ref().map(DeliveryId::as_str), Some("dlv_0123456789abcdef0123456789abcdef"));
        assert_eq!(feedback.project.as_ref().map(ProjectId::as_str), Some("prj_demo"), "{name}");
        assert_eq!(feedback.campaign.as_ref().map(CampaignId::as_str), Some("cmp_welcome"), "{name}");
        assert_eq!(feedback.recipients, ["recipient@example.com"], "{name}");
        assert!(feedback.ses_message_id.starts_with("EXAMPLE7c191be45"), "{name}");
        assert!(feedback.at < received_at(), "{name}");
    }
}

#[test]
fn what_sns_says_for_itself_is_kept_and_harmless() {
    let table = [
        (fixture!("sns-validation"), "Notification"),
        (fixture!("sns-subscription-confirmation"), "SubscriptionConfirmation"),
    ];
    for ((name, text), kind) in table {
        let feedback = read(text);
        assert_eq!(feedback.kind, FeedbackKind::Unknown { name: kind.into() }, "{name}");
        assert_eq!((feedback.delivery, feedback.at), (None, received_at()), "{name}");
    }
}

#[test]
fn an_event_without_our_tags_is_nobodys() {
    let feedback = read(fixture!("delivery-not-ours").1);
    assert_eq!((feedback.project, feedback.delivery, feedback.campaign), (None, None, None));
}

#[test]
fn an_interaction_comes_back_as_it_was_queued() {
    let table = [
        (fixture!("interaction-open").1, InteractionKind::Open, None),
        (fixture!("interaction-click").1, InteractionKind::Click, Some("https://example.com/spring")),
    ];
    for (text, kind, url) in table {
        let Ok(Arrival::Interaction(found)) = Arrival::parse(text, received_at()) else { panic!("an interaction") };
        assert_eq!((found.kind, found.url.as_deref()), (kind, url));
        let again = crate::task::to_text(&found).expect("a task");
        assert_eq!(Arrival::parse(&again, received_at()).ok(), Some(Arrival::Interaction(found)));
    }
}

#[test]
fn only_what_is_no_event_at_all_is_poison() {
    for poison in ["", "x", "{}", "[]", "null", "7", r#"{"v":1}"#, r#"{"mail":{}}"#] {
        assert!(Arrival::parse(poison, received_at()).is_err(), "{poison}");
    }
    for odd in [r#"{"eventType":"Bounce"}"#, r#"{"eventType":"Click","mail":{}}"#, r#"{"eventType":""}"#] {
        assert!(Arrival::parse(odd, received_at()).is_ok(), "{odd}");
    }
}

#[test]
fn names_are_those_of_ses() {
    for (text, kind) in PermanentBounce::ALL {
        assert_eq!((PermanentBounce::parse(text).as_str(), PermanentBounce::parse(text)), (*text, kind.clone()));
        assert_eq!(BounceType::parse("Permanent", text).names(), ("Permanent", *text));
    }
    assert_eq!(BounceType::parse("Undetermined", "Undetermined").names(), ("Undetermined", "Undetermined"));
}
