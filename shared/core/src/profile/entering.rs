//! Entering campaigns: what a profile says to it, and remembers of it.

use super::{Activity, Admission, Profile, Stamp, Start};
use crate::call::Call;
use crate::campaign::Campaign;
use crate::ids::{CampaignId, RunId};
use crate::limits;

impl Profile {
    /// Starts a campaign by a call, unless it has started too often for this person ([`limits::STARTS_PER_HOUR`]). The
    /// activity shows a start that `is_new` and did not happen.
    pub fn start(&mut self, campaign: &Campaign, call: &Call, is_new: bool) -> Start {
        let transactional = campaign.ignores_unsubscribes();
        let limit = if transactional { limits::TRANSACTIONAL_STARTS_PER_HOUR } else { limits::STARTS_PER_HOUR };
        let start = self.starts.start(&campaign.id, Stamp::of(call), limit);
        if start == Start::TooOften && is_new {
            self.not_started(call, &campaign.id, "too often within an hour");
        }
        start
    }

    /// Whether a call that was taken before started a campaign, whatever has become true of the person since; none where that
    /// may be forgotten.
    #[must_use]
    pub fn has_started(&self, campaign: &Campaign, call: &Call) -> Option<bool> {
        let stamp = Stamp::of(call);
        self.entries.has(&campaign.id, stamp).then_some(true).or_else(|| self.starts.has_started(&campaign.id, stamp))
    }

    /// What a campaign's rule says to a call that was not taken before; see [`Admission`].
    #[must_use]
    pub fn admission(&self, campaign: &Campaign, key: Option<&str>, call: &Call) -> Admission<'_> {
        self.entries.ask(&campaign.id, &campaign.entry, key, Stamp::of(call))
    }

    /// Remembers an entry, where the campaign's rule asks for it.
    pub fn enter(&mut self, campaign: &Campaign, key: Option<String>, call: &Call, run: RunId) {
        if campaign.entry.remembers() {
            self.entries.add(&campaign.id, key, run, Stamp::of(call));
        }
    }

    /// Notes that a call did not start a campaign.
    pub fn not_started(&mut self, call: &Call, campaign: &CampaignId, why: &str) {
        self.riding.push(Activity::not_started(call, campaign, why));
    }

    /// Notes the date that a campaign waits for; whether it is this call that set it.
    pub fn expect(&mut self, campaign: &CampaignId, date: Option<String>, call: &Call) -> bool {
        self.entries.expect(campaign, date, Stamp::of(call))
    }

    /// The date that a campaign waits for.
    #[must_use]
    pub fn expected(&self, campaign: &CampaignId) -> Option<&str> {
        self.entries.date(campaign)
    }
}
