//! What the outbox's pages look like.

use dunlin_core::mail::CAMPAIGN_TAG;
use maud::{DOCTYPE, Markup, html};

use super::Mail;
use super::body::Parts;

/// Mails on one page of the list.
pub(super) const PAGE: usize = 50;
/// Seconds after which the list's first page looks again.
const REFRESH_SECONDS: u32 = 3;

fn page(title: &str, refresh: bool, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if refresh { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
                title { (title) }
                link rel="stylesheet" href="/outbox/style.css";
            }
            body {
                header {
                    a href="/outbox" { "Outbox" }
                    span.quiet { "mails accepted by the local SES; none of them left this machine" }
                }
                main { (content) }
            }
        }
    }
}

fn campaign(mail: &Mail) -> Option<&str> {
    mail.tags.iter().find(|(name, _)| name == CAMPAIGN_TAG).map(|(_, value)| value.as_str())
}

/// One page of the list, newest first; `number` counts from 0.
pub(super) fn list(mails: &[Mail], total: u64, number: usize) -> Markup {
    let content = html! {
        p.quiet { (total) @if total == 1 { " mail" } @else { " mails" } }
        div.card {
            @if mails.is_empty() {
                div.empty { "Nothing was mailed yet. This page looks again every few seconds." }
            } @else {
                table {
                    thead { tr { th.when { "Time" } th.who { "To" } th { "Subject" } th.tag { "Campaign" } } }
                    tbody {
                        @for mail in mails {
                            tr {
                                td.when { time datetime=(mail.at) { (mail.at.strftime("%Y-%m-%d %H:%M:%S")) } }
                                td.who { (mail.to.join(", ")) }
                                td { a href={ "/outbox/" (mail.id) } { (subject(mail)) } }
                                td.tag { @if let Some(campaign) = campaign(mail) { span.chip { (campaign) } } }
                            }
                        }
                    }
                }
            }
        }
        nav {
            @if number > 0 { a href={ "/outbox?page=" (number - 1) } { "← Newer" } }
            @if mails.len() == PAGE { a href={ "/outbox?page=" (number + 1) } { "Older →" } }
        }
    };
    page("Outbox", number == 0, &content)
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.is_empty() { "(no subject)" } else { &mail.subject }
}

/// One mail. Its HTML is in a frame without scripts, forms or an origin.
pub(super) fn mail(mail: &Mail, parts: &Parts) -> Markup {
    let at = |what: &str| format!("/outbox/{}/{what}", mail.id);
    let content = html! {
        h1 { (subject(mail)) }
        dl {
            dt { "From" } dd { (mail.from) }
            dt { "To" } dd { (mail.to.join(", ")) }
            dt { "Accepted" } dd { time datetime=(mail.at) { (mail.at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
            @if !mail.tags.is_empty() {
                dt { "Tags" }
                dd { @for (name, value) in &mail.tags { span.chip { (name) " = " (value) } } }
            }
            @if !parts.attachments.is_empty() { dt { "Attached" } dd { (parts.attachments.join(", ")) } }
        }
        nav {
            @if parts.html.is_some() { a href=(at("html")) target="_blank" { "HTML" } }
            @if parts.text.is_some() { a href=(at("text")) target="_blank" { "Text" } }
            a href=(at("source")) target="_blank" { "Source" }
            a href={ "/outbox/" (mail.id) ".eml" } { "Download .eml" }
        }
        @if parts.html.is_some() {
            div.card {
                iframe title="The mail's HTML" src=(at("html")) referrerpolicy="no-referrer"
                    sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation" {}
            }
        }
        @if let Some(text) = &parts.text {
            h2 { "Text" }
            div.card { pre { (text) } }
        }
        details {
            summary { "All headers" }
            div.card {
                pre { @for (name, value) in &parts.headers { (name) ": " (value) "\n" } }
            }
        }
    };
    page(subject(mail), false, &content)
}
