//! A link's text: nobody's text verifies; what we sign ourselves comes back as it was, and leads where a header can say.

#![no_main]

use dunlin_core::ids::{DeliveryId, ProjectId, UserId};
use dunlin_core::link::{Kind, Link, PREFIX, Purpose, Target};
use dunlin_fuzz::ring;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let ring = ring();
    for kind in Kind::ALL {
        if let Ok(link) = Link::parse(kind, input, &ring) {
            // A seed that we signed, or nothing: then it is the very text that we would write.
            let again = link.path(&ring);
            assert_eq!(again, format!("{PREFIX}{}/{input}", kind.letter()));
        }
    }
    let link = |purpose| Link { project: ProjectId::derive(&["p"]), delivery: DeliveryId::derive(&[input]), purpose };
    let target = Target::parse(input).ok();
    if let Some(target) = &target {
        let text = target.as_str();
        assert!(text.starts_with("http://") || text.starts_with("https://"), "{text}");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        assert_eq!(Target::parse(text).as_ref(), Ok(target));
        if let Ok(with) = target.with_parameters(&[("utm_source", input)]) {
            let host = |text: &str| text.split(['/', '?', '#']).nth(2).map(str::to_owned);
            assert_eq!(host(with.as_str()), host(text), "a parameter changes the host");
        }
    }
    let user = UserId::parse(input).ok().map(Purpose::Unsubscribe);
    for purpose in [target.map(Purpose::Click), user].into_iter().flatten() {
        let link = link(purpose);
        let path = link.path(&ring);
        let text = path.strip_prefix(PREFIX).and_then(|path| path.split_once('/')).map_or("", |(_, text)| text);
        assert_eq!(Link::parse(link.kind(), text, &ring), Ok(link.clone()));
        assert!(Kind::ALL.into_iter().filter(|kind| *kind != link.kind()).all(|kind| Link::parse(kind, text, &ring).is_err()));
    }
});
