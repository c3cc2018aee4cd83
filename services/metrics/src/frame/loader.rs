//! From the rows of fact tables to frames.

use std::any::Any;
use std::sync::Arc;

use hashbrown::HashMap;
use vigie_model::facts::{
    AvailabilityFact, CellReader, ChangeFact, DeploymentFact, FactRow, IncidentFact, QualityFact, ServiceFact,
    WaitingFact,
};

use super::ServiceFrame;
use super::shelf::{Shelf, Shelved, Shelves};

/// Takes the rows of the fact tables, table by table, and gives the frames of their services.
///
/// Rows in key order, as the database gives them, are turned into columns service by service, so that never more
/// than one service of a table is held as rows. Any other order is taken too, and costs more.
#[derive(Default)]
pub struct FrameLoader {
    services: Vec<ServiceFact>,
    deployments: Collected<DeploymentFact>,
    changes: Collected<ChangeFact>,
    waiting: Collected<WaitingFact>,
    incidents: Collected<IncidentFact>,
    availability: Collected<AvailabilityFact>,
    quality: Collected<QualityFact>,
}

/// One table: the rows of the service that is being read, and what was read before.
struct Collected<R: Shelved> {
    current: Vec<R>,
    done: HashMap<Box<str>, Shelf<R>>,
}

impl<R: Shelved> Default for Collected<R> {
    fn default() -> Self {
        Self { current: Vec::new(), done: HashMap::new() }
    }
}

impl<R: Shelved> Collected<R> {
    fn push(&mut self, row: R) {
        if self.current.last().is_some_and(|last| last.service() != row.service()) {
            self.flush();
        }
        self.current.push(row);
    }

    fn flush(&mut self) {
        let mut rows = std::mem::take(&mut self.current);
        let Some(service) = rows.first().map(|row| Box::<str>::from(row.service())) else {
            return;
        };
        if let Some(earlier) = self.done.remove(&service) {
            rows.extend(earlier.table.rows());
        }
        self.done.insert(service, Shelf::new(&rows));
    }

    fn take(&mut self, service: &str) -> Shelf<R> {
        let done = self.done.remove(service);
        done.unwrap_or_else(|| Shelf::new(&[]))
    }
}

impl FrameLoader {
    /// A loader without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next row of a fact table from a reader that stands at its first cell.
    ///
    /// # Errors
    /// The reader's.
    pub fn push<R: FactRow, C: CellReader>(&mut self, reader: &mut C) -> Result<(), C::Error> {
        self.add(R::read(reader)?);
        Ok(())
    }

    /// Takes a row of a fact table. Rows of a kind that has no place in frames are left.
    pub fn add<R: FactRow>(&mut self, row: R) {
        fn taken<R: 'static>(row: &mut dyn Any) -> Option<R> {
            row.downcast_mut::<Option<R>>().and_then(Option::take)
        }
        let mut row = Some(row);
        let row: &mut dyn Any = &mut row;
        if let Some(row) = taken(row) {
            self.changes.push(row);
        } else if let Some(row) = taken(row) {
            self.deployments.push(row);
        } else if let Some(row) = taken(row) {
            self.incidents.push(row);
        } else if let Some(row) = taken(row) {
            self.availability.push(row);
        } else if let Some(row) = taken(row) {
            self.waiting.push(row);
        } else if let Some(row) = taken(row) {
            self.quality.push(row);
        } else if let Some(row) = taken(row) {
            self.services.push(row);
        }
    }

    /// The frames of every service that has a row of its own, sorted by slug.
    #[must_use]
    pub fn finish(mut self) -> Vec<Arc<ServiceFrame>> {
        self.deployments.flush();
        self.changes.flush();
        self.waiting.flush();
        self.incidents.flush();
        self.availability.flush();
        self.quality.flush();
        let mut services = std::mem::take(&mut self.services);
        services.sort_by(|a, b| a.service.cmp(&b.service));
        let frames = services.into_iter().map(|service| {
            let slug = service.service.clone();
            Arc::new(ServiceFrame::from_shelves(Shelves {
                service,
                deployments: self.deployments.take(&slug),
                changes: self.changes.take(&slug),
                waiting: self.waiting.take(&slug),
                incidents: self.incidents.take(&slug),
                availability: self.availability.take(&slug),
                quality: self.quality.take(&slug),
            }))
        });
        frames.collect()
    }
}
