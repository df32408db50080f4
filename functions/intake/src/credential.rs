//! Where clients put the credential, and who they then are. It is taken out of what it came in, so
//! that nothing behind this room can queue or log it.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use dunlin_core::call::Properties;
use dunlin_core::ids::ProjectId;
use dunlin_core::token::{Keyring, Revocations};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::Value;

/// The Track API's names of it, old and new.
const TRACK: [&str; 2] = ["auth_token", "tracking_api_key"];
/// Segment's name of it.
const SEGMENT: &str = "writeKey";

/// Base64 with or without its padding: both are in the wild.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret that a client sent; not printable.
pub(crate) struct Credential(String);

/// Takes the Track API's credential: the query's, else the body's.
pub(crate) fn track(query: Option<&str>, fields: &mut Properties) -> Option<Credential> {
    let in_query = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, value)| TRACK.contains(&name.as_ref()) && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    let in_body: Vec<Value> = TRACK.iter().filter_map(|name| fields.remove(*name)).collect();
    if let Some(Value::Object(identity)) = fields.get_mut("identity") {
        identity.retain(|name, _| !TRACK.contains(&name.as_str()));
    }
    let in_body = in_body.into_iter().find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    });
    in_query.or(in_body).map(Credential)
}

/// Takes Segment's credential: the user name of HTTP Basic, a Bearer token, else the body's `writeKey`.
pub(crate) fn segment(headers: &HeaderMap, fields: &mut Properties) -> Option<Credential> {
    let in_body = fields.remove(SEGMENT);
    if let Some(Value::Array(items)) = fields.get_mut("batch") {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| drop(item.remove(SEGMENT)));
    }
    let in_header = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Some(secret.trim().to_owned()),
            "basic" => pair(secret.trim()).map(|(user, _)| user),
            _ => None,
        }
    });
    let in_body = in_body.and_then(|value| value.as_str().map(str::to_owned));
    in_header.filter(|text| !text.is_empty()).or(in_body).map(Credential)
}

/// The `user:password` of a base64 text.
fn pair(text: &str) -> Option<(String, String)> {
    let plain = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    plain.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

impl Credential {
    /// The project it belongs to. Old clients have a key and a secret and send base64 of `key:secret`; there
    /// the secret is what follows the token's last dot, or one of the two is the whole token.
    pub(crate) fn project(&self, keyring: &Keyring, revoked: &Revocations) -> Option<ProjectId> {
        let verify = |token: &str| keyring.verify(token, revoked).ok().map(|claim| claim.project);
        let token = self.0.trim();
        verify(token).or_else(|| {
            // A `+` that a client did not escape in its query arrives as a space.
            let (key, secret) = pair(&token.replace(' ', "+"))?;
            verify(&key).or_else(|| verify(&secret)).or_else(|| verify(&format!("{key}.{secret}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use dunlin_core::token::Claim;
    use serde_json::json;

    use super::*;

    fn keyring() -> Keyring {
        Keyring::parse("k1:0123456789abcdef0123456789abcdef").expect("a keyring")
    }

    fn token() -> String {
        keyring().issue(&Claim { project: project(), serial: 3 })
    }

    fn project() -> ProjectId {
        ProjectId::parse("prj_demo").expect("an id")
    }

    fn known(credential: Option<Credential>) -> bool {
        credential.and_then(|found| found.project(&keyring(), &Revocations::default())) == Some(project())
    }

    fn fields(value: Value) -> Properties {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn the_credential_is_found_in_every_place_and_is_gone_afterwards() {
        for name in TRACK {
            let mut in_body = fields(json!({ name: token(), "identity": { name: token(), "id": "7" } }));
            assert!(known(track(None, &mut in_body)), "{name}");
            assert_eq!(Value::Object(in_body), json!({"identity": {"id": "7"}}));
            assert!(known(track(Some(&format!("a=b&{name}={}", token())), &mut Properties::new())), "{name}");
        }
        let mut in_body = fields(json!({ "writeKey": token(), "batch": [{ "writeKey": token() }, 7] }));
        assert!(known(segment(&HeaderMap::new(), &mut in_body)));
        assert_eq!(Value::Object(in_body), json!({"batch": [{}, 7]}));
        for header in [format!("Bearer {}", token()), format!("Basic {}", BASE64.encode(format!("{}:", token())))] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().expect("a header"))]);
            assert!(known(segment(&headers, &mut Properties::new())), "{header}");
        }
    }

    #[test]
    fn a_key_and_a_secret_in_base64_are_a_token() {
        let (key, secret) = token().rsplit_once('.').map(|(k, s)| (k.to_owned(), s.to_owned())).expect("dots");
        for plain in [format!("{key}:{secret}"), format!("{}:", token()), format!("x~~~>>>???:{}", token())] {
            let sent = BASE64.encode(&plain);
            for sent in [sent.clone(), sent.trim_end_matches('=').to_owned(), sent.replace('+', " ")] {
                assert!(known(track(None, &mut fields(json!({ "auth_token": sent })))), "{plain} as {sent}");
            }
        }
    }

    #[test]
    fn what_is_no_token_is_nobody() {
        for bad in
            [json!("x"), json!(7), json!(null), json!(""), json!({"a": 1}), json!("é:ü"), json!(BASE64.encode("a:b"))]
        {
            assert!(!known(track(None, &mut fields(json!({ "auth_token": bad })))), "{bad}");
        }
        assert!(track(Some("auth_token="), &mut Properties::new()).is_none());
    }
}
