//! Fields as clients send them, read into the types of the domain; each error names its field.

use dunlin_core::call::Properties;
use dunlin_core::email::Email;
use dunlin_core::ids::UserId;
use jiff::Timestamp;
use serde_json::Value;

use crate::reply::Refusal;

/// A text, or a number as its decimal text; nothing for `null` and blank text.
pub(crate) fn text(value: Option<&Value>, name: &str) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Refusal::field(name, "must be text or a number")),
    }
}

/// An id of a user.
pub(crate) fn user(value: Option<&Value>, name: &str) -> Result<Option<UserId>, Refusal> {
    let text = text(value, name)?;
    text.map(|text| UserId::parse(&text).map_err(|why| Refusal::field(name, why))).transpose()
}

/// An e-mail address.
pub(crate) fn email(value: Option<&Value>, name: &str) -> Result<Option<Email>, Refusal> {
    let text = text(value, name)?;
    text.map(|text| Email::parse(&text).map_err(|error| Refusal::field(name, &error.to_string()))).transpose()
}

/// Takes an object out; empty for `null`.
pub(crate) fn object(fields: &mut Properties, name: &str) -> Result<Properties, Refusal> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(Properties::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(Refusal::field(name, "must be an object")),
    }
}

/// Who a call is about: the id, else the address. `inside` is the path of the fields, for errors.
pub(crate) fn person(fields: &Properties, inside: &str) -> Result<(UserId, Option<Email>), Refusal> {
    let (id_name, email_name) = (format!("{inside}id"), format!("{inside}email"));
    let email = email(fields.get("email"), &email_name)?;
    let user = match (user(fields.get("id"), &id_name)?, &email) {
        (Some(user), _) => user,
        (None, Some(email)) => UserId::parse(email.as_str()).map_err(|why| Refusal::field(&email_name, why))?,
        (None, None) => return Err(Refusal::field(&id_name, &format!("or `{email_name}` is required"))),
    };
    Ok((user, email))
}

/// An instant: ISO-8601 with offset, or Unix seconds as a number or its text; in whole milliseconds.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let seconds = |seconds: f64| {
        let millis = (seconds * 1000.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float out of range becomes the border, which is no instant"
        )]
        Timestamp::from_millisecond(millis as i64).ok().filter(|_| millis.is_finite())
    };
    match value {
        Value::Number(number) => seconds(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            let number = text.parse::<f64>().ok().and_then(seconds);
            number.or_else(|| Timestamp::from_millisecond(text.parse::<Timestamp>().ok()?.as_millisecond()).ok())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_an_instant_is_read_and_nothing_else() {
        for same in [
            json!("2026-03-01T10:00:00.250Z"),
            json!("2026-03-01T12:00:00.250+02:00"),
            json!("2026-03-01T12:00:00.250999+0200"),
            json!("2026-03-01 10:00:00.25Z"),
            json!(1_772_359_200.25),
            json!("1772359200.25"),
        ] {
            assert_eq!(instant(&same).map(Timestamp::as_millisecond), Some(1_772_359_200_250), "{same}");
        }
        assert_eq!(instant(&json!("2026-03-01T10:00:00+00:00")), instant(&json!(1_772_359_200)));
        let bad = [
            json!("yesterday"),
            json!("2026-03-01T10:00:00"),
            json!("2026-02-30T10:00:00Z"),
            json!(1e300),
            json!("nan"),
        ];
        for bad in
            bad.into_iter().chain([json!("inf"), json!(""), json!([1]), json!(true), json!(1_772_359_200_250_000_i64)])
        {
            assert_eq!(instant(&bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_are_texts_and_numbers_are_read_as_their_digits() {
        let read = |value: Value| user(Some(&value), "id").map(|id| id.map(|id| id.to_string()));
        assert_eq!(read(json!(42)), Ok(Some("42".into())));
        assert_eq!(read(json!(-1)), Ok(Some("-1".into())));
        assert_eq!(read(json!(u64::MAX)), Ok(Some("18446744073709551615".into())));
        assert_eq!(read(json!(" ann ")), Ok(Some("ann".into())));
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(read(json!(" ")), Ok(None));
        assert_eq!(read(json!(true)), Err(Refusal::field("id", "must be text or a number")));
        assert_eq!(read(json!("x".repeat(254))), Ok(Some("x".repeat(254))));
        assert_eq!(read(json!("x".repeat(255))), Err(Refusal::field("id", "must be shorter than 255 bytes")));
    }
}
