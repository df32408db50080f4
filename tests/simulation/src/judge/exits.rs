//! What a run that waits for an event is held against: of its two exits it takes one, and the right one.

use dunlin_core::run::RunState;
use jiff::Timestamp;

use super::{Asked, Judge};
use crate::baskets::{self, Hearing};
use crate::model::Mail;

impl Judge<'_> {
    /// The two mails of which a filled basket asks for one; how many deliveries there are.
    pub(super) fn exits(&mut self, asked: &Asked<'_>) -> usize {
        let (thanks, basket) = (self.delivery(asked, Mail::Thanks), self.delivery(asked, Mail::Basket));
        let (call, hearing) = (&asked.event.call, self.hearing(asked));
        let left = self.left(asked).unwrap_or(Timestamp::MAX);
        let unfounded = thanks.is_some() && hearing.possibly(left).next().is_none();
        let unheard = basket.is_some() && hearing.surely(self.decided(asked, hearing.ends().0)).next().is_some();
        if unfounded {
            self.broken("a run hears only what has happened in time", format!("{} of {:?}", call.id, asked.person));
        }
        if unheard {
            self.broken("a run hears what has happened in time", format!("{} of {:?}", call.id, asked.person));
        }
        if thanks.is_some() && basket.is_some() {
            self.broken("a run takes one of two exits", format!("{} of {:?}", call.id, asked.person));
        }
        if thanks.is_none() && basket.is_none() {
            self.nothing(asked, Mail::Basket);
        }
        if let Some(again) = self.again(asked) {
            self.lateness(asked, Mail::Basket, hearing.again(), again);
        }
        let found = [(Mail::Thanks, thanks), (Mail::Basket, basket)];
        let found = found.into_iter().filter_map(|(mail, delivery)| Some((mail, delivery?)));
        found.map(|(mail, delivery)| self.something(asked, mail, delivery)).count()
    }

    /// What the run of a basket may have heard.
    fn hearing<'h>(&self, asked: &Asked<'h>) -> Hearing<'h> {
        Hearing::of(asked.story, asked.event, self.again(asked).or_else(|| self.left(asked)))
    }

    /// When the first of the two mails was in the ledger: by then the run had gone on, whether or not it was seen to.
    fn left(&self, asked: &Asked<'_>) -> Option<Timestamp> {
        let found = [Mail::Thanks, Mail::Basket].map(|mail| self.delivery(asked, mail));
        let entries = found.into_iter().flatten().filter_map(|delivery| self.seen.ledger.get(&delivery.id)?.first());
        entries.map(|entry| entry.at).min()
    }

    /// When the run of a basket listened again, or had gone on by then.
    fn again(&self, asked: &Asked<'_>) -> Option<Timestamp> {
        let written = self.seen.runs.get(&self.run(asked, baskets::CAMPAIGN)?.id)?;
        written.iter().find(|one| one.moves >= 2).map(|one| one.at)
    }

    /// When it was decided which way the run goes: not before `first`, nor before it says so itself.
    fn decided(&self, asked: &Asked<'_>, first: Timestamp) -> Timestamp {
        let ended = self.run(asked, baskets::CAMPAIGN).and_then(|run| match run.state {
            RunState::Ended { at, .. } => Some(at),
            _ => None,
        });
        ended.map_or(first, |ended| ended.max(first)) - self.played.skew()
    }

    /// When one of the two mails is due.
    pub(super) fn exit_by(&self, asked: &Asked<'_>, mail: Mail) -> Timestamp {
        let hearing = self.hearing(asked);
        if mail == Mail::Thanks { hearing.thanks_by() } else { hearing.ends().1 }
    }

    /// The payments of which thanks may speak: the earliest one that the run must know of, or one before that.
    pub(super) fn thanked(&self, asked: &Asked<'_>, sent_at: Timestamp) -> Vec<u64> {
        let hearing = self.hearing(asked);
        let first = hearing.surely(self.decided(asked, Timestamp::MIN)).map(|one| one.call.at).min();
        let heard = hearing.possibly(sent_at).filter(|one| first.is_none_or(|first| one.call.at <= first));
        heard.map(baskets::number).collect()
    }
}
