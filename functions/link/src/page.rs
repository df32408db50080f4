//! The few pages recipients see, and the headers every answer carries.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// For our own pages: nothing is loaded, nothing runs, and only the page's own form does anything. No
/// `form-action`: within a sandbox, browsers differ in what `'self'` is.
const PAGE_POLICY: &str =
    "sandbox allow-forms; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// For a mail shown in the browser: what a mail program would show. Scripts and forms do not work, links do.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:32rem;padding:0 1rem;\
     color:#1d2733;background:#fff}h1{font-size:1.4rem}button{font:inherit;padding:.6rem 1.2rem;border:0;\
     border-radius:.4rem;background:#1d4f7c;color:#fff;cursor:pointer}.quiet{background:#e6ebf0;color:#1d2733}\
     @media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#14191f}}";

/// The smallest transparent GIF.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// The name of a form's field that says what a button means.
pub(crate) const CHOICE: &str = "choice";
/// The field's value for the way back.
pub(crate) const RESUBSCRIBE: &str = "resubscribe";

/// An answer with the headers that all of ours carry.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let always = [
            (header::CACHE_CONTROL, "no-store, max-age=0"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        ];
        for (name, value) in always {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.extend(self.headers);
        response
    }
}

/// The open pixel.
pub(crate) fn pixel() -> Answer {
    let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("image/gif"))];
    Answer { status: StatusCode::OK, headers, body: Body::from(PIXEL) }
}

/// A redirect to a target that was signed.
pub(crate) fn redirect(target: HeaderValue) -> Answer {
    Answer { status: StatusCode::FOUND, headers: vec![(header::LOCATION, target)], body: Body::empty() }
}

/// A mail in the browser.
pub(crate) fn mail(markup: String) -> Answer {
    html_answer(StatusCode::OK, MAIL_POLICY, markup)
}

/// A link that does not work, whatever the reason: a forger learns nothing.
pub(crate) fn not_found() -> Answer {
    message(
        StatusCode::NOT_FOUND,
        "This link does not work",
        "It may have been cut off on its way. Please open it from the e-mail again.",
    )
}

/// A mail whose copy is gone.
pub(crate) fn gone() -> Answer {
    message(
        StatusCode::NOT_FOUND,
        "This e-mail can no longer be shown",
        "The copy for the browser is kept for a limited time.",
    )
}

/// We cannot do it now.
pub(crate) fn try_again() -> Answer {
    let mut answer = message(
        StatusCode::SERVICE_UNAVAILABLE,
        "That did not work",
        "Nothing has been changed. Please try again in a few minutes.",
    );
    answer.headers.push((header::RETRY_AFTER, HeaderValue::from_static("60")));
    answer
}

/// Asks before anything happens. `who` is shown when it tells the recipient anything: an address.
pub(crate) fn ask(who: &str) -> Answer {
    let title = "Unsubscribe";
    let content = html! {
        p { "You will get no more marketing e-mails from this sender" (for_whom(who)) "." }
        (form("Unsubscribe", None))
    };
    page(StatusCode::OK, title, &content)
}

/// It is done, and the way back.
pub(crate) fn unsubscribed(who: &str) -> Answer {
    let content = html! {
        p { "No more marketing e-mails will be sent" (for_whom(who)) ". E-mails about your own orders or account may still come." }
        p { "Was that a mistake?" }
        (form("Subscribe again", Some(RESUBSCRIBE)))
    };
    page(StatusCode::OK, "You are unsubscribed", &content)
}

/// The way back was taken.
pub(crate) fn resubscribed(who: &str) -> Answer {
    let content = html! {
        p { "Marketing e-mails will be sent again" (for_whom(who)) "." }
        (form("Unsubscribe", None))
    };
    page(StatusCode::OK, "You are subscribed again", &content)
}

fn for_whom(who: &str) -> Markup {
    html! { @if who.contains('@') { " to " strong { (who) } } }
}

/// A form that posts to the page's own address.
fn form(label: &str, choice: Option<&str>) -> Markup {
    html! {
        form method="post" {
            @if let Some(choice) = choice { input type="hidden" name=(CHOICE) value=(choice); }
            button class=[choice.map(|_| "quiet")] { (label) }
        }
    }
}

fn message(status: StatusCode, title: &str, text: &str) -> Answer {
    page(status, title, &html! { p { (text) } })
}

fn page(status: StatusCode, title: &str, content: &Markup) -> Answer {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (content) }
        }
    };
    html_answer(status, PAGE_POLICY, markup.into_string())
}

fn html_answer(status: StatusCode, policy: &'static str, markup: String) -> Answer {
    let headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ];
    Answer { status, headers, body: Body::from(markup) }
}
