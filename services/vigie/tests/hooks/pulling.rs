//! What the tests of pulls have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vigie_engine::{Engine, PullFailure, PullOptions, Pulled};
use vigie_ingest::pull::Pull;
use vigie_model::facts::ServiceFacts;
use vigie_testkit::TestDatabase;

use crate::house::settle;

/// Where the made-up services run.
pub const PRODUCTION: [&str; 2] = ["production", "prod-eu"];

pub async fn pull(engine: &Engine, source: &dyn Pull) -> Result<Pulled, PullFailure> {
    let options = PullOptions { patience: Duration::from_secs(60), schedule: None, told: &|_| {} };
    engine.pull(source, options, std::future::pending()).await
}

pub async fn pulled(engine: &Engine, source: &dyn Pull) -> Pulled {
    let pulled = pull(engine, source).await.unwrap();
    settle(engine).await;
    pulled
}

/// A database of the same kind.
pub async fn another(database: &TestDatabase) -> TestDatabase {
    if database.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() }
}

/// The deployments into production that ended, as the facts have it, by the service, which is named like its repository;
/// incidents are counted all together, as labels name other services.
pub fn told(all: &[ServiceFacts]) -> (BTreeMap<String, usize>, usize) {
    let mut deployments = BTreeMap::new();
    let mut incidents = BTreeSet::new();
    for service in all {
        let rows = service.deployments.iter();
        let ended = rows.filter(|row| PRODUCTION.contains(&&*row.environment) && row.finished_at.is_some());
        let count = ended.count();
        if count > 0 {
            deployments.insert(service.service.service.to_string(), count);
        }
        incidents.extend(service.incidents.iter().map(|row| row.id.to_string()));
    }
    (deployments, incidents.len())
}
