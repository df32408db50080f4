//! How the story must end.

use dunlin_local::Mail;

use crate::demo::story::PEOPLE;
use crate::demo::timeline::Entry;

/// Every mail that must leave, by person, in order; and how many must be held back.
const EXPECTED: [(&str, &[&str], usize); 4] = [
    ("Ann", &["Welcome to Larkspur, Ann", "Three things about a good cup", "A month with us"], 0),
    ("Ben", &["Welcome to Larkspur, Ben", "Your order B-17", "Your order B-42"], 2),
    ("Cleo", &["Welcome to Larkspur, Cleo"], 2),
    ("Dora", &["Still choosing, Dora?"], 0),
];

/// Where the story ended differently; nothing when all is well.
pub(crate) fn differences(entries: &[Entry], mails: &[Mail]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (who, expected, expected_unsent) in EXPECTED {
        let address = PEOPLE.iter().find(|(name, _)| *name == who).map_or("", |(_, address)| *address);
        let got: Vec<&str> =
            mails.iter().filter(|mail| mail.to == [address]).map(|mail| mail.subject.as_str()).collect();
        if got != expected {
            wrong.push(format!("{who} got {got:?}, not {expected:?}"));
        }
        let unsent = entries.iter().filter(|entry| entry.who == who && entry.is_unsent()).count();
        if unsent != expected_unsent {
            wrong.push(format!("{unsent} mails to {who} were held back, not {expected_unsent}"));
        }
    }
    let expected: usize = EXPECTED.iter().map(|(_, mails, _)| mails.len()).sum();
    if mails.len() != expected {
        wrong.push(format!("{} mails left, not {expected}", mails.len()));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::player::Player;
    use crate::demo::{story, timeline};

    #[tokio::test]
    async fn the_story_ends_as_it_should() {
        let mut player = Player::start(1).await.expect("a world");
        story::play(&mut player).await.expect("played");
        let mails = player.mails();
        let entries = timeline::collect(&player, &mails).await.expect("a timeline");
        assert_eq!(differences(&entries, &mails), Vec::<String>::new());
        assert!(!differences(&entries, &mails[1..]).is_empty(), "a mail that is missing is noticed");
    }
}
