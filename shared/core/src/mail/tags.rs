//! The tags by which SES's events name our delivery.

use crate::ids::{CampaignId, DeliveryId, ProjectId};

/// Names the project.
pub const PROJECT_TAG: &str = "dunlin_project";
/// Names the delivery.
pub const DELIVERY_TAG: &str = "dunlin_delivery";
/// Names the campaign.
pub const CAMPAIGN_TAG: &str = "dunlin_campaign";

/// The tags of one mail, as name and value. SES takes ASCII letters, digits, `_` and `-`, at most 256
/// (SES v2 API, `MessageTag`); our ids have no other characters.
#[must_use]
pub fn tags(project: &ProjectId, delivery: &DeliveryId, campaign: &CampaignId) -> [(String, String); 3] {
    [
        (PROJECT_TAG.to_owned(), project.to_string()),
        (DELIVERY_TAG.to_owned(), delivery.to_string()),
        (CAMPAIGN_TAG.to_owned(), campaign.to_string()),
    ]
}
