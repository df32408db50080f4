//! The story: four people and a coffee roaster.

use serde_json::json;

use crate::demo::player::{DAYS, Player};

/// The people, with their addresses. Cleo's is of SES's mailbox simulator, and refuses every mail for good.
pub(crate) const PEOPLE: [(&str, &str); 4] = [
    ("Ann", "ann@example.com"),
    ("Ben", "ben@example.com"),
    ("Cleo", "bounce+cleo@simulator.amazonses.com"),
    ("Dora", "dora@example.com"),
];

/// Plays it from the first day to the last.
pub(crate) async fn play(player: &mut Player) -> anyhow::Result<()> {
    let [ann, ben, cleo, dora] = PEOPLE;

    player.identify(ann.0, ann.1).await?;
    player.track(ann.0, "signs up", "Signed up", json!({"plan": "beans"})).await?;

    player.until(0, 10, 30).await?;
    player.identify(ben.0, ben.1).await?;
    player.track(ben.0, "signs up", "Signed up", json!({})).await?;

    player.until(1, 8, 15).await?;
    player.identify(cleo.0, cleo.1).await?;
    player.track(cleo.0, "signs up, with an address that does not exist", "Signed up", json!({})).await?;

    player.until(1, 18, 5).await?;
    let first = json!({
        "order": "B-17", "total": 23.5, "currency": "EUR",
        "items": [{"name": "Mill Lane espresso", "quantity": 2, "price": 9.5}, {"name": "Filter papers", "price": 4.5}],
    });
    player.track(ben.0, "buys espresso and filter papers", "Purchased item", first).await?;

    player.until(2, 7, 40).await?;
    player.unsubscribe(ben.0, ben.1).await?;

    player.until(10, 20, 0).await?;
    player.identify(dora.0, dora.1).await?;
    player.track(dora.0, "looks at the prices, and leaves", "Viewed pricing", json!({})).await?;

    player.until(20, 12, 30).await?;
    let second = json!({
        "order": "B-42", "total": 12.0, "currency": "EUR",
        "items": [{"name": "Harbour decaf", "quantity": 1, "price": 12.0}],
    });
    player.track(ben.0, "buys decaf", "Purchased item", second).await?;

    player.until(DAYS, 9, 0).await?;
    player.finish();
    Ok(())
}
