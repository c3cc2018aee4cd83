//! Pull requests with all their commits and reviews, and those of which an earlier run missed some.

use serde_json::{Value, json};
use vigie_model::Event;

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::Client;
use super::super::payload::next;
use super::Reader;

const PULL_REQUEST: &str = include_str!("../queries/pull_request.graphql");
/// After so many that are not answered the others are left to the next run.
const SILENT: usize = 3;

impl Reader {
    /// A pull request with all its commits and reviews. Of one that is not answered it is what there is.
    pub(super) async fn whole(
        &mut self,
        client: &mut Client,
        node: &Value,
        notes: &mut Notes,
    ) -> Result<Value, PullError> {
        let mut whole = node.clone();
        let number = node["number"].as_u64().unwrap_or_default();
        let mut after = [next(&node["commits"]), next(&node["reviews"])];
        while after.iter().any(Option::is_some) {
            let variables = json!({
                "owner": self.owner, "name": self.name, "number": number, "whole": false,
                "commits": after[0].is_some(), "commitsAfter": after[0], "reviews": after[1].is_some(), "reviewsAfter": after[1],
            });
            let told = match client.ask(PULL_REQUEST, &variables).await {
                Ok(told) => told,
                Err(error) => {
                    self.miss(number, &client.unanswered().ok_or(error)?, notes);
                    return Ok(whole);
                }
            };
            told.missing.iter().for_each(|why| notes.add(self.lacks("part of a pull request", why)));
            let more = &told.data["repository"]["pullRequest"];
            for (list, after) in ["commits", "reviews"].into_iter().zip(&mut after) {
                *after = next(&more[list]);
                if let (Some(all), Some(more)) = (whole[list]["nodes"].as_array_mut(), more[list]["nodes"].as_array()) {
                    all.extend(more.iter().cloned());
                }
            }
        }
        self.place.missed.remove(&number);
        Ok(whole)
    }

    /// Notes that something of a pull request was not answered.
    fn miss(&mut self, number: u64, why: &str, notes: &mut Notes) {
        self.place.missed.insert(number);
        notes.add(self.lacks("part of a pull request", &format!("{why}; it is asked for again in the next run")));
    }

    /// What an earlier run missed.
    pub(super) async fn again(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let (mut deliveries, mut events, mut silent) = (Vec::new(), Vec::new(), 0);
        for number in std::mem::take(&mut self.missed) {
            let variables = json!({
                "owner": self.owner, "name": self.name, "number": number, "whole": true,
                "commits": true, "commitsAfter": null, "reviews": true, "reviewsAfter": null,
            });
            let told = match client.ask(PULL_REQUEST, &variables).await {
                Ok(told) => told,
                Err(error) => {
                    self.miss(number, &client.unanswered().ok_or(error)?, notes);
                    silent += 1;
                    if silent == SILENT {
                        break;
                    }
                    continue;
                }
            };
            let node = &told.data["repository"]["pullRequest"];
            if node.is_null() {
                // It is gone, or may not be seen any more.
                told.missing.iter().for_each(|why| notes.add(self.lacks("part of a pull request", why)));
                self.place.missed.remove(&number);
                continue;
            }
            let whole = self.whole(client, node, notes).await?;
            deliveries.extend(self.repository.pull_request(&whole));
            events.extend(mapping.plain(self.repository.commits_of(&whole), notes));
        }
        events.extend(mapping.events(&deliveries, notes).await?);
        Ok(Some(events))
    }
}
