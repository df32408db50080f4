//! Turns: how much of one project is under way within a batch while another project's tasks are in it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use dunlin_core::ids::ProjectId;
use tokio::sync::Semaphore;

/// Tasks of one project that are worked on at once while another's are in the same batch: half of a batch, so that the
/// other half of an environment's connections and time is free for the others.
pub const TURNS: usize = 5;

/// The turns of a batch's projects. A project that has the batch for itself takes it whole.
#[derive(Debug)]
pub struct Turns(BTreeMap<ProjectId, Semaphore>);

impl Turns {
    /// The turns of a batch with tasks of these projects.
    pub fn of<'a>(projects: impl IntoIterator<Item = &'a ProjectId>) -> Self {
        let projects: BTreeSet<&ProjectId> = projects.into_iter().collect();
        let turns = if projects.len() > 1 { TURNS } else { Semaphore::MAX_PERMITS };
        Self(projects.into_iter().map(|project| (project.clone(), Semaphore::new(turns))).collect())
    }

    /// Does a project's work when it is its turn; work of no project that the batch knows, at once.
    pub async fn take<T>(&self, project: Option<&ProjectId>, work: impl Future<Output = T>) -> T {
        let turn = match project.and_then(|project| self.0.get(project)) {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let done = work.await;
        drop(turn);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many of a project's ten tasks were under way at most, beside so many other projects.
    async fn most(others: usize) -> usize {
        let project = ProjectId::derive(&["a"]);
        let neighbours: Vec<ProjectId> = (0..others).map(|n| ProjectId::derive(&[&n.to_string()])).collect();
        let turns = Turns::of(neighbours.iter().chain([&project]));
        let (under_way, most) = (Cell::new(0_usize), Cell::new(0_usize));
        let work = || async {
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            tokio::task::yield_now().await;
            under_way.set(under_way.get() - 1);
        };
        futures::future::join_all((0..10).map(|_| turns.take(Some(&project), work()))).await;
        most.get()
    }

    #[tokio::test]
    async fn a_project_takes_half_of_a_batch_that_it_shares_and_all_of_its_own() {
        assert_eq!((most(0).await, most(1).await, most(4).await), (10, TURNS, TURNS));
    }
}
