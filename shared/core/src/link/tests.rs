use proptest::prelude::*;

use super::*;
use crate::limits::TARGET_BYTES;

const OLD: &str = "k1:0123456789abcdef0123456789abcdef";
const NEW: &str = "k2:fedcba9876543210fedcba9876543210";

fn ring(text: &str) -> Keyring {
    Keyring::parse(text).expect("a keyring")
}

fn link(purpose: Purpose) -> Link {
    Link { project: ProjectId::derive(&["p"]), delivery: DeliveryId::derive(&["d"]), purpose }
}

fn click(target: &str) -> Link {
    link(Purpose::Click(Target::parse(target).expect("a target")))
}

fn every() -> Vec<Link> {
    let user = UserId::parse("Ünal\n\"42\"").expect("a user id");
    vec![
        link(Purpose::Open),
        link(Purpose::View),
        link(Purpose::Unsubscribe(user)),
        click("https://example.com/a?b=c&d=%20e#f"),
    ]
}

/// The part of a path behind the kind.
fn text(path: &str) -> &str {
    path.get(PREFIX.len() + 2..).expect("a path")
}

#[test]
fn every_kind_of_link_comes_back_as_it_was() {
    let ring = ring(OLD);
    for link in every() {
        let path = link.path(&ring);
        assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b)), "{path}");
        assert_eq!(Link::parse(link.kind(), text(&path), &ring), Ok(link));
    }
}

#[test]
fn a_link_of_one_kind_does_not_work_as_another() {
    let ring = ring(OLD);
    for link in every() {
        let path = link.path(&ring);
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != link.kind()) {
            let found = Link::parse(kind, text(&path), &ring);
            assert_eq!(found, Err(LinkError::Signature(TokenError::Forged)), "{kind:?}");
        }
    }
}

#[test]
fn a_truncated_link_or_one_with_a_changed_character_is_refused() {
    let ring = ring(OLD);
    let path = click("https://example.com/").path(&ring);
    let whole = text(&path);
    for at in 0..whole.len() {
        assert!(Link::parse(Kind::Click, &whole[..at], &ring).is_err(), "{at}");
        let changed = if whole.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut forged = whole.to_owned();
        forged.replace_range(at..=at, changed);
        assert!(Link::parse(Kind::Click, &forged, &ring).is_err(), "{at}");
    }
}

#[test]
fn a_target_cannot_be_put_under_another_links_signature() {
    let ring = ring(OLD);
    let honest = click("https://example.com/").path(&ring);
    let foreign = click("https://evil.example/").path(&self::ring("k1:another-secret-another-secret-42"));
    let (payload, _) = text(&foreign).split_once('.').expect("a payload");
    let (_, signature) = text(&honest).split_once('.').expect("a signature");
    for forged in [text(&foreign).to_owned(), format!("{payload}.{signature}"), format!("{payload}.k1."), "..".into()] {
        assert!(Link::parse(Kind::Click, &forged, &ring).is_err(), "{forged}");
    }
}

#[test]
fn a_link_works_while_its_key_is_in_the_ring() {
    let path = link(Purpose::View).path(&ring(OLD));
    let during = ring(&format!("{NEW},{OLD}"));
    assert!(Link::parse(Kind::View, text(&path), &during).is_ok());
    assert!(link(Purpose::View).path(&during).contains(".k2."));
    let after = Link::parse(Kind::View, text(&path), &ring(NEW));
    assert_eq!(after, Err(LinkError::Signature(TokenError::UnknownKey)));
}

#[test]
fn a_token_of_the_api_is_not_a_link() {
    let ring = ring(OLD);
    let token = ring.issue(&crate::token::Claim { project: ProjectId::derive(&["p"]), serial: 1 });
    assert!(Kind::ALL.iter().all(|kind| Link::parse(*kind, &token, &ring).is_err()));
}

#[test]
fn only_an_http_url_with_a_host_is_a_target() {
    for good in ["http://a.b", "https://a.b/c d?e=f&g", "HTTPS://A.B", "https://münchen.de/ü", " https://a.b "] {
        assert!(Target::parse(good).is_ok(), "{good}");
    }
    let bad = [
        "",
        "/a",
        "//a.b/c",
        "a.b",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "mailto:a@b.c",
        "file:///etc/passwd",
        "https://",
        "http:///",
        "vbscript:x",
        "#top",
    ];
    for bad in bad {
        assert!(Target::parse(bad).is_err(), "{bad}");
    }
    let long = format!("https://a.b/{}", "x".repeat(TARGET_BYTES));
    assert_eq!(Target::parse(&long), Err(TargetError::TooLong));
}

#[test]
fn a_target_has_no_line_break_to_inject_a_header_with() {
    let target = Target::parse("https://a.b/\r\nSet-Cookie: x=y?\r\nq").expect("a target");
    assert!(target.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
}

#[test]
fn parameters_are_added_only_where_they_are_absent() {
    let target = Target::parse("https://a.b/?utm_source=mine#part").expect("a target");
    let with = target.with_parameters(&[("utm_source", "dunlin"), ("utm_medium", "e mail")]).expect("a target");
    assert_eq!(with.as_str(), "https://a.b/?utm_source=mine&utm_medium=e+mail#part");
}

#[test]
fn the_longest_target_makes_a_link_that_still_parses() {
    let ring = ring(OLD);
    let link = click(&format!("https://a.b/{}", "x".repeat(TARGET_BYTES - 12)));
    assert_eq!(Link::parse(Kind::Click, text(&link.path(&ring)), &ring), Ok(link));
}

#[test]
fn links_know_their_own() {
    let ring = ring(OLD);
    let links = Links::new("https://l.example.com/", &ring).expect("a base");
    assert!(links.contains(&links.url(&link(Purpose::Open))));
    assert!(!links.contains("https://l.example.com.evil.example/l/o/x"));
    assert!(Links::new("l.example.com", &ring).is_err());
    assert!(Links::new("https://l.example.com/?a", &ring).is_err());
}

proptest! {
    #[test]
    fn nothing_a_stranger_writes_is_a_link(text in "[ -~]{0,200}") {
        let ring = ring(OLD);
        prop_assert!(Kind::ALL.iter().all(|kind| Link::parse(*kind, &text, &ring).is_err()));
    }

    #[test]
    fn no_text_makes_a_target_that_breaks_a_header(text in "\\PC*|(https?://)?[a-z./\\\\?#@:\r\n\t %0-9]{0,60}") {
        if let Ok(target) = Target::parse(&text) {
            prop_assert!(target.as_str().starts_with("http"));
            prop_assert!(target.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(Target::parse(target.as_str()), Ok(target));
        }
    }
}
