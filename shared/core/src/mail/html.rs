//! What happens to a finished HTML body: links, preheader and open pixel.

use std::cell::Cell;
use std::rc::Rc;

use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, end, end_tag, rewrite_str};
use url::Url;

use super::entity::{decode, encode};
use super::{Occasion, Unsendable};
use crate::link::{Purpose, Target};

/// Schemes that run or embed what data could bring; their links lose their target.
const UNSAFE_SCHEMES: [&str; 5] = ["javascript", "vbscript", "data", "blob", "file"];

/// `utm_medium` of every link.
const MEDIUM: &str = "email";

/// Rewrites the links, hides the preheader at the top and appends the open pixel.
pub(super) fn finish(html: &str, preheader: Option<&str>, occasion: &Occasion<'_>) -> Result<String, Unsendable> {
    let opening = preheader.filter(|text| !text.trim().is_empty()).map(hidden).unwrap_or_default();
    let closing = if occasion.tracking.opens { pixel(&occasion.url(Purpose::Open)) } else { String::new() };
    let (opened, closed) = (Cell::new(false), Rc::new(Cell::new(false)));
    let settings = RewriteStrSettings::new()
        .with_strict(false)
        .append_element_content_handler(element!("a[href], area[href]", |link| {
            follow(link, occasion)?;
            Ok(())
        }))
        .append_element_content_handler(element!("body", |body| {
            if !opened.replace(true) {
                body.prepend(&opening, ContentType::Html);
            }
            if let Some(handlers) = body.end_tag_handlers() {
                let (closing, closed) = (closing.clone(), Rc::clone(&closed));
                handlers.push(end_tag!(move |tag| {
                    if !closed.replace(true) {
                        tag.before(&closing, ContentType::Html);
                    }
                    Ok(())
                }));
            }
            Ok(())
        }))
        .append_document_content_handler(end!(|document| {
            if !closed.replace(true) {
                document.append(&closing, ContentType::Html);
            }
            Ok(())
        }));
    let finished = rewrite_str(html, settings).map_err(|_| Unsendable::Html)?;
    if opened.get() { Ok(finished) } else { Ok(format!("{opening}{finished}")) }
}

/// Leads one link where the mail's tracking wants it.
fn follow(link: &mut Element<'_, '_>, occasion: &Occasion<'_>) -> Result<(), lol_html::errors::AttributeNameError> {
    let Some(href) = link.get_attribute("href") else { return Ok(()) };
    let href = decode(&href);
    let href = href.trim();
    if occasion.links.contains(href) {
        return Ok(());
    }
    let Ok(target) = Target::parse(href) else {
        if Url::parse(href).is_ok_and(|url| UNSAFE_SCHEMES.contains(&url.scheme())) {
            link.remove_attribute("href");
        }
        return Ok(());
    };
    let Ok(target) = decorate(&target, occasion) else { return Ok(()) };
    if occasion.tracking.clicks {
        return link.set_attribute("href", &encode(&occasion.url(Purpose::Click(target))));
    }
    link.set_attribute("href", &encode(target.as_str()))
}

/// The target with the parameters that tell the site which mail the visit came from. An address never
/// goes into a URL: a user whose id is one gets no `vero_id`.
fn decorate(target: &Target, occasion: &Occasion<'_>) -> Result<Target, crate::link::TargetError> {
    let mut parameters = Vec::new();
    let user = occasion.person.id.as_str();
    if occasion.tracking.conversions {
        if !user.contains('@') {
            parameters.push(("vero_id", user));
        }
        parameters.push(("vero_conv", occasion.delivery.as_str()));
    }
    if let Some(source) = occasion.tracking.utm_source {
        parameters.extend([("utm_source", source), ("utm_medium", MEDIUM), ("utm_campaign", occasion.campaign_name)]);
    }
    if parameters.is_empty() { Ok(target.clone()) } else { target.with_parameters(&parameters) }
}

fn pixel(url: &str) -> String {
    format!("<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0;height:1px;width:1px\">", encode(url))
}

fn hidden(text: &str) -> String {
    format!("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">{text}</div>")
}
