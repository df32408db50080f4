//! Renames: `reidentify` joins two ids into one person, for good.
//!
//! # The rule
//!
//! Ids that renames join are one class, with one profile; the class is called by the new id of its latest rename (by
//! stamp). Every other id of the class becomes an alias: a call that names it, before or after, concerns the one
//! profile. So the result depends on the set of renames, not on their order. A delete of any of the ids erases
//! what the class held up to its time: erasing too much is the safe side of a wish to be forgotten.

use super::{Profile, Stamp, merge_channel, merge_register};
use crate::ids::UserId;

/// What a rename leaves: the one profile, and the ids that now point to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Renamed {
    /// The class's profile, under its name.
    pub profile: Profile,
    /// Ids whose items become aliases of it.
    pub aliases: Vec<UserId>,
}

/// Joins the classes of `from` and `to` (the profiles that their ids resolve to, the same one twice if they are
/// joined already) by a rename at `stamp` to `new_id`.
#[must_use]
pub fn rename(from: Profile, to: Profile, new_id: &UserId, stamp: Stamp) -> Renamed {
    let ids = [from.id.clone(), to.id.clone(), new_id.clone()];
    let names = [(Some(stamp), new_id.clone()), (from.renamed, from.id.clone()), (to.renamed, to.id.clone())];
    let (renamed, id) = names.into_iter().max().unwrap_or((Some(stamp), new_id.clone()));
    let mut profile = if from.id == to.id { from } else { merge(from, to) };
    profile.renamed = renamed;
    profile.former.extend(ids.iter().filter(|other| **other != id).cloned());
    profile.former.remove(&id);
    profile.id.clone_from(&id);
    let mut aliases: Vec<UserId> = ids.into_iter().filter(|other| *other != id).collect();
    aliases.sort();
    aliases.dedup();
    Renamed { profile, aliases }
}

/// The fold of the calls of both.
fn merge(mut one: Profile, other: Profile) -> Profile {
    one.seen.merge(other.seen);
    let erased = one.erased.max(other.erased);
    one.created = [one.created, other.created].into_iter().flatten().min();
    one.touched = one.touched.max(other.touched);
    for (name, register) in other.properties {
        merge_register(&mut one.properties, name, register);
    }
    for (tag, register) in other.tags {
        merge_register(&mut one.tags, tag, register);
    }
    if let Some(register) = other.subscription {
        one.subscribe(register.0, register.1);
    }
    for register in other.channels {
        merge_channel(&mut one.channels, register);
    }
    for statistics in other.events.into_values() {
        one.count_event(statistics);
    }
    one.riding.extend(other.riding);
    one.riding.sort_by_key(|activity| (activity.accepted_at(), activity.id.clone()));
    one.former.extend(other.former);
    one.starts.merge(other.starts);
    one.entries.merge(other.entries);
    if let Some(erased) = erased {
        one.erased = None;
        one.erase(erased);
    }
    one.shrink();
    one
}
