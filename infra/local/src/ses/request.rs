//! A `SendEmail` request, checked as SES checks it.

use base64::Engine as _;
use mailparse::{MailAddr, MailHeaderMap, addrparse};
use serde::Deserialize;
use serde_json::Value;

use crate::reply::Refusal;

/// Most recipients of a message (SES quotas).
const MAX_RECIPIENTS: usize = 50;
/// Largest message after base64, with attachments: 40 MB (SES quotas, API v2).
const MAX_BYTES: usize = 40 * 1024 * 1024;
/// Most tags of a message (API reference, `SendEmail`).
const MAX_TAGS: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    content: Content,
    configuration_set_name: Option<String>,
    #[serde(default)]
    email_tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    raw: Option<Raw>,
    simple: Option<Value>,
    template: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

/// A message that SES takes.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) subject: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) configuration_set: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) raw: Vec<u8>,
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::sender("BadRequestException", text)
}

/// Reads and checks a request.
pub(super) fn parse(body: &[u8]) -> Result<Outgoing, Refusal> {
    let request: SendEmail = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let content = request.content;
    if content.simple.is_some() || content.template.is_some() {
        return Err(bad("only raw content is offered here, as dunlin builds its own messages"));
    }
    let raw = content.raw.ok_or_else(|| bad("Content is required"))?;
    if raw.data.len() > MAX_BYTES {
        return Err(bad(format!("Message length is more than {MAX_BYTES} bytes long: '{}'.", raw.data.len())));
    }
    let raw = base64::engine::general_purpose::STANDARD
        .decode(raw.data)
        .map_err(|error| bad(format!("the raw data is not base64: {error}")))?;
    let (headers, _) =
        mailparse::parse_headers(&raw).map_err(|error| bad(format!("the headers cannot be read: {error}")))?;
    let of_headers = |name: &str| headers.get_all_values(name);

    let from = request.from_email_address.or_else(|| headers.get_first_value("From")).filter(|from| !from.is_empty());
    let from = from.ok_or_else(|| bad("Missing required header 'From'."))?;
    addresses(&from)?;

    let destination = request.destination;
    let mut named = [destination.to_addresses, destination.cc_addresses, destination.bcc_addresses].concat();
    if named.is_empty() {
        named = [of_headers("To"), of_headers("Cc"), of_headers("Bcc")].concat();
    }
    let mut to = Vec::new();
    for name in &named {
        to.extend(addresses(name)?);
    }
    if to.is_empty() {
        return Err(bad("Must have at least one recipient."));
    }
    if to.len() > MAX_RECIPIENTS {
        return Err(bad(format!("Recipient count exceeds {MAX_RECIPIENTS}.")));
    }

    let mut tags: Vec<(String, String)> = request.email_tags.into_iter().map(|tag| (tag.name, tag.value)).collect();
    for tag in of_headers("X-SES-MESSAGE-TAGS").iter().flat_map(|line| line.split(',')) {
        tags.extend(tag.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
    }
    check_tags(&tags)?;
    Ok(Outgoing {
        from,
        to,
        subject: headers.get_first_value("Subject").unwrap_or_default(),
        headers: headers.iter().map(|header| (header.get_key(), header.get_value())).collect(),
        configuration_set: request
            .configuration_set_name
            .or_else(|| headers.get_first_value("X-SES-CONFIGURATION-SET")),
        tags,
        raw,
    })
}

/// The addresses in an address list. SES takes 7-bit addresses only: a domain in other characters
/// must come as Punycode, a local part cannot (API reference, `Destination`).
fn addresses(list: &str) -> Result<Vec<String>, Refusal> {
    let parsed = addrparse(list).map_err(|error| bad(format!("the address list cannot be read: {error}")))?;
    let mut found = Vec::new();
    for address in parsed.iter() {
        match address {
            MailAddr::Single(one) => found.push(one.addr.clone()),
            MailAddr::Group(group) => found.extend(group.addrs.iter().map(|one| one.addr.clone())),
        }
    }
    for address in &found {
        let Some((local, domain)) = address.rsplit_once('@') else {
            return Err(bad("Missing final '@domain'"));
        };
        if local.is_empty() {
            return Err(bad("Missing local part"));
        }
        if !local.is_ascii() {
            return Err(bad("Local address contains non-ASCII characters"));
        }
        if !domain.is_ascii() || domain.is_empty() || domain.contains(char::is_whitespace) {
            return Err(bad("Domain contains illegal character"));
        }
    }
    Ok(found)
}

fn check_tags(tags: &[(String, String)]) -> Result<(), Refusal> {
    if tags.len() > MAX_TAGS {
        return Err(bad(format!("A message can have at most {MAX_TAGS} tags.")));
    }
    let well_formed = |text: &str, extra: &[u8]| {
        (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || extra.contains(&byte))
    };
    for (name, value) in tags {
        if !well_formed(name, b"") {
            return Err(bad(format!(
                "Invalid tag name: {name}: only alphanumeric ASCII characters, '_', and '-' are allowed."
            )));
        }
        if !well_formed(value, b".@") {
            return Err(bad(format!(
                "Invalid tag value: {value}: only alphanumeric ASCII characters, '_', '-', '.', and '@' are allowed."
            )));
        }
    }
    Ok(())
}
