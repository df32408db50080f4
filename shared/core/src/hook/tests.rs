use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::limits::{HOOK_HEADER_BYTES, HOOK_TRIES, HOOK_URL_BYTES};

/// A network by its first and last address, and its neighbours where those are public.
const NETWORKS: &[(&str, &str, &str, &str)] = &[
    ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
    ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
    ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
    ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
    ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
    ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
    ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
    ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
    ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
    ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
    ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
    ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
    ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
    ("223.255.255.255", "224.0.0.0", "239.255.255.255", ""),
    ("", "240.0.0.0", "255.255.255.255", ""),
    ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
    ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
    ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
    ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
    ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
    ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    // An IPv4 address within: mapped, and translated.
    ("::ffff:9.255.255.255", "::ffff:10.0.0.0", "::ffff:10.255.255.255", "::ffff:11.0.0.0"),
    ("::ffff:169.253.255.255", "::ffff:169.254.0.0", "::ffff:169.254.255.255", "::ffff:169.255.0.0"),
    ("64:ff9b::126.255.255.255", "64:ff9b::127.0.0.0", "64:ff9b::127.255.255.255", "64:ff9b::128.0.0.0"),
];

fn address(text: &str) -> Option<IpAddr> {
    (!text.is_empty()).then(|| text.parse().unwrap_or_else(|_| panic!("{text} is an address")))
}

#[test]
fn a_network_that_is_not_public_is_refused_to_its_edges_and_no_further() {
    for (before, first, last, after) in NETWORKS {
        for refused in [first, last].into_iter().filter_map(|text| address(text)) {
            assert!(!is_public(refused), "{refused}");
        }
        for allowed in [before, after].into_iter().filter_map(|text| address(text)) {
            assert!(is_public(allowed), "{allowed}");
        }
    }
}

#[test]
fn every_kind_of_address_that_is_not_public_is_refused() {
    for text in [
        "169.254.169.254",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:0:0:127.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "100:0:0:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2002:7f00:1::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(address(text).is_some_and(|address| !is_public(address)), "{text}");
    }
    for text in ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "64:ff9b::1.1.1.1"] {
        assert!(address(text).is_some_and(is_public), "{text}");
    }
}

#[test]
fn a_request_goes_to_the_public_web_and_nowhere_else() {
    for good in [
        "https://example.com",
        "https://example.com:8443/a?b=c#d",
        "http://example.com/",
        "https://bücher.example/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://local.example.com/",
        "https://localhost.example/",
        "https://nlan.example/",
        "https://home.arpa.example/",
        "https://example.clan/",
        "https://9.9.9.9.in-addr.arpa/",
    ] {
        assert!(target(good).is_ok(), "{good}");
    }
    for (bad, why) in [
        ("", Refused::NotUrl),
        ("example.com/hook", Refused::NotUrl),
        ("https://", Refused::NotUrl),
        ("https://exa mple.com/", Refused::NotUrl),
        ("ftp://example.com/", Refused::Scheme),
        ("file:///etc/passwd", Refused::Scheme),
        ("gopher://example.com/", Refused::Scheme),
        ("https://user@example.com/", Refused::UserInfo),
        ("https://:secret@example.com/", Refused::UserInfo),
        ("http://example.com:25/", Refused::Port),
        ("https://example.com:587/", Refused::Port),
        ("http://127.0.0.1/", Refused::Address),
        ("http://127.1/", Refused::Address),
        ("http://0x7f000001/", Refused::Address),
        ("http://2130706433/", Refused::Address),
        ("http://0177.0.0.1/", Refused::Address),
        ("http://169.254.169.254/latest/meta-data/", Refused::Address),
        ("http://[::1]/", Refused::Address),
        ("http://[::ffff:127.0.0.1]/", Refused::Address),
        ("http://localhost:9001/", Refused::Address),
        ("http://LOCALHOST./", Refused::Address),
        ("http://a.localhost/", Refused::Address),
        ("http://instance-data.ec2.internal/", Refused::Address),
        ("http://printer.local/", Refused::Address),
        ("http://intranet/", Refused::Address),
        ("http://INTRANET.:8080/x", Refused::Address),
        ("http://db.lan:5432/", Refused::Address),
        ("http://router.home.arpa/", Refused::Address),
        ("http://home.arpa/", Refused::Address),
        ("http://metadata.google.internal./", Refused::Address),
        ("http://①②⑦.0.0.1/", Refused::Address),
    ] {
        assert_eq!(target(bad), Err(why), "{bad}");
    }
    assert_eq!(target(&format!("https://example.com/{}", "a".repeat(HOOK_URL_BYTES))), Err(Refused::TooLong));
}

#[test]
fn only_who_reaches_anywhere_reaches_this_machine_and_no_rule_but_the_address_falls() {
    assert!(
        Reach::Anywhere.target("http://127.0.0.1:8080/").is_ok() && Reach::Anywhere.target("http://localhost/").is_ok()
    );
    assert_eq!(Reach::Anywhere.target("http://a:b@127.0.0.1/"), Err(Refused::UserInfo));
    let loopback = address("127.0.0.1").expect("an address");
    assert!(Reach::Anywhere.allows(loopback) && !Reach::Public.allows(loopback));
}

#[test]
fn a_step_may_not_set_what_says_where_a_request_begins_and_ends() {
    for (name, value, problem) in [
        ("authorization", "Bearer x", None),
        ("X-Custom", "", None),
        ("content-type", "application/cloudevents+json", None),
        ("Host", "example.com", Some(HeaderProblem::Ours)),
        ("Content-Length", "3", Some(HeaderProblem::Ours)),
        ("CONNECTION", "close", Some(HeaderProblem::Ours)),
        ("Transfer-Encoding", "chunked", Some(HeaderProblem::Ours)),
        ("webhook-id", "mine", Some(HeaderProblem::Ours)),
        ("", "a", Some(HeaderProblem::Name)),
        ("a b", "a", Some(HeaderProblem::Name)),
        ("a:b", "a", Some(HeaderProblem::Name)),
        ("x\r\nhost", "a", Some(HeaderProblem::Name)),
        ("x", "a\r\nhost: b", Some(HeaderProblem::Value)),
        ("x", "a\0", Some(HeaderProblem::Value)),
    ] {
        assert_eq!(header_problem(name, value), problem, "{name}: {value}");
    }
    assert_eq!(header_problem("x", &"a".repeat(HOOK_HEADER_BYTES)), Some(HeaderProblem::TooLong));
}

#[test]
fn an_answer_is_its_json_or_its_text_and_good_when_it_was_taken_and_read() {
    let escaped = "\u{1}".repeat(HOOK_ANSWER_BYTES / 2);
    let long = "x".repeat(HOOK_ANSWER_BYTES + 1);
    for (status, bytes, body, error) in [
        (200, b"{\"a\": [1]}".as_slice(), Some(json!({"a": [1]})), None),
        (201, b"hello", Some(json!("hello")), None),
        (200, b"{\"a\":", Some(json!("{\"a\":")), None),
        (204, b"", None, None),
        (200, b" \n", None, None),
        (200, b"\xff\xfe", None, Some("not_text")),
        (200, long.as_bytes(), None, Some("too_long")),
        (200, escaped.as_bytes(), None, Some("too_long")),
        (302, b"moved", Some(json!("moved")), Some("status")),
        (404, b"{\"why\":1}", Some(json!({"why": 1})), Some("status")),
        (500, long.as_bytes(), None, Some("status")),
    ] {
        let answer = Answer::of(status, bytes);
        assert_eq!((answer.status, &answer.body, answer.error.as_deref()), (Some(status), &body, error));
        assert_eq!(answer.is_good(), error.is_none(), "{status}");
    }
}

#[test]
fn what_may_be_better_later_is_tried_again_and_nothing_else_is() {
    for status in 100..600 {
        let again = [408, 425, 429].contains(&status) || status >= 500;
        assert_eq!(Answer::of(status, b"").may_be_better_later(), again, "{status}");
    }
    for fault in Fault::ALL {
        let again = matches!(fault, Fault::Unresolved | Fault::Unreachable | Fault::Timeout);
        let answer = Answer::from(fault);
        assert_eq!((answer.may_be_better_later(), answer.is_good()), (again, false), "{fault:?}");
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).expect("an instant")
}

#[test]
fn each_pause_is_up_to_twice_the_one_before_and_never_longer_than_a_queue_holds() {
    let far = second(1_000_000);
    for (tries, most) in [(0, 10), (1, 20), (2, 40), (3, 80), (4, 160), (5, 320), (6, 640)] {
        let pauses = (0..5_000).map(|chance| next_try(tries, None, (second(0), far), chance).expect("another try"));
        let pauses: Vec<i64> = pauses.map(|at| at.duration_since(second(0)).as_secs()).collect();
        assert_eq!((pauses.iter().min(), pauses.iter().max()), (Some(&1), Some(&most)), "{tries} tries");
    }
    assert_eq!(next_try(HOOK_TRIES - 1, None, (second(0), far), 0), None, "the last try was the last");
    assert_eq!(next_try(u32::MAX, None, (second(0), far), 0), None);
}

#[test]
fn no_try_is_made_when_the_time_for_it_is_over() {
    assert_eq!(next_try(0, None, (second(0), second(10)), 9), Some(second(10)));
    assert_eq!(next_try(0, None, (second(0), second(9)), 9), None);
}

#[test]
fn a_receiver_is_given_the_pause_it_asks_for_up_to_a_quarter_of_an_hour() {
    let asked = |seconds| Some(SignedDuration::from_secs(seconds));
    let at = |asked| next_try(0, asked, (second(0), second(10_000)), 4);
    assert_eq!((at(None), at(asked(3)), at(asked(60))), (Some(second(5)), Some(second(5)), Some(second(60))));
    assert_eq!(at(asked(100_000)), Some(second(900)));
    let now: Timestamp = "2026-11-22T08:00:00Z".parse().expect("an instant");
    for (text, seconds) in [
        ("120", Some(120)),
        (" 7 ", Some(7)),
        ("Sun, 22 Nov 2026 08:01:30 GMT", Some(90)),
        ("Sun, 22 Nov 2026 07:59:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after(text, now), seconds.map(SignedDuration::from_secs), "{text}");
    }
}

#[test]
fn a_request_that_says_little_is_a_post_without_a_body() {
    let request: Request = serde_json::from_value(json!({"id": "h", "url": "https://example.com"})).expect("a request");
    assert_eq!((request.method.name(), request.body.is_none(), request.headers.len()), ("POST", true, 0));
}
