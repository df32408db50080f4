//! What becomes of a mail: the addresses of SES's mailbox simulator, and everybody else's.

/// The domain of the mailbox simulator (SES developer guide, "using the mailbox simulator").
const DOMAIN: &str = "simulator.amazonses.com";

/// What the receiving side does with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives.
    Delivered,
    /// It is refused for good: no such user.
    Bounced,
    /// It arrives, and the recipient calls it spam.
    Complained,
    /// SES itself does not try: the address is on its suppression list.
    Suppressed,
}

/// The fate of a mail to an address; a label (`bounce+any@…`) changes nothing.
pub(super) fn fate(address: &str) -> Fate {
    let Some((local, domain)) = address.rsplit_once('@') else { return Fate::Delivered };
    if !domain.eq_ignore_ascii_case(DOMAIN) {
        return Fate::Delivered;
    }
    let name = local.split('+').next().unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "bounce" => Fate::Bounced,
        "complaint" => Fate::Complained,
        "suppressionlist" => Fate::Suppressed,
        // `success`, and `ooto`, whose automatic answer goes to the return path, not to SES.
        _ => Fate::Delivered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulator_answers_by_its_addresses_with_and_without_label() {
        for (address, expected) in [
            ("bounce@simulator.amazonses.com", Fate::Bounced),
            ("Bounce+x@Simulator.amazonses.com", Fate::Bounced),
            ("complaint+a+b@simulator.amazonses.com", Fate::Complained),
            ("suppressionlist@simulator.amazonses.com", Fate::Suppressed),
            ("ooto@simulator.amazonses.com", Fate::Delivered),
            ("bounce@example.com", Fate::Delivered),
        ] {
            assert_eq!(fate(address), expected, "{address}");
        }
    }
}
