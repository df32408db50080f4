//! What templates can read: `user`, `event`, `url`, `campaign`.

use serde_json::{Map, Value, json};

use super::Occasion;
use crate::ids::digest;

/// The variables of one mail.
pub(super) struct Context {
    /// For headers and text bodies.
    pub(super) plain: Value,
    /// For HTML, where `url.unsubscribe` and `url.permalink` stand for whole links.
    pub(super) html: Value,
    /// The stand-ins in `html`, and the links they become after escaping.
    pub(super) anchors: [(String, String); 2],
}

impl Context {
    /// Builds the variables. As in the original, `url.unsubscribe` and `url.permalink` print a link (in
    /// text: its URL), `url.unsubscribe_link` and `url.permalink_link` the bare URL.
    pub(super) fn new(occasion: &Occasion<'_>) -> Self {
        let (unsubscribe, view) = (occasion.unsubscribe_url(), occasion.view_url());
        // Over a signed link: who writes data cannot know it.
        let stand_in = |name: &str| format!("dunlin-{}", digest(&[&unsubscribe, name]));
        let anchors = [
            (stand_in("unsubscribe"), format!("<a href=\"{unsubscribe}\">Unsubscribe</a>")),
            (stand_in("permalink"), format!("<a href=\"{view}\">View in browser</a>")),
        ];
        let urls = |unsubscribe_shown: &str, view_shown: &str| {
            json!({
                "unsubscribe": unsubscribe_shown, "unsubscribe_link": unsubscribe,
                "permalink": view_shown, "permalink_link": view,
            })
        };
        let [(unsubscribe_stand_in, _), (view_stand_in, _)] = &anchors;
        let html_urls = urls(unsubscribe_stand_in, view_stand_in);
        let plain = json!({
            "user": user(occasion),
            "event": event(occasion),
            "journey": occasion.journey,
            "campaign": { "id": occasion.campaign.as_str(), "name": occasion.campaign_name },
            "url": urls(&unsubscribe, &view),
        });
        let mut html = plain.clone();
        if let Some(slot) = html.get_mut("url") {
            *slot = html_urls;
        }
        Self { plain, html, anchors }
    }
}

fn user(occasion: &Occasion<'_>) -> Map<String, Value> {
    let person = &occasion.person;
    let mut user = person.properties.clone();
    user.insert("id".to_owned(), person.id.as_str().into());
    user.insert("email".to_owned(), person.email.as_str().into());
    user.insert("tags".to_owned(), person.tags.into());
    user
}

/// The trigger event: what the client sent comes first, so that a property called `name` is theirs.
fn event(occasion: &Occasion<'_>) -> Map<String, Value> {
    let event = occasion.event;
    let mut data = event.data.clone();
    data.entry("name").or_insert_with(|| event.name.as_str().into());
    data.entry("triggered_at").or_insert_with(|| event.at.to_string().into());
    data
}
