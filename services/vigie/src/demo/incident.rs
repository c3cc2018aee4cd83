//! Incidents: what the on-call tool and the status page say.

use serde_json::json;
use vigie_model::{MINUTE, Time};

use super::chance::Chance;
use super::outbox::{Outbox, maybe, text, without_nulls};

const SYMPTOMS: &[&str] = &[
    "Errors on every third request",
    "Slow answers",
    "Orders stay pending",
    "Customers cannot log in",
    "Wrong prices shown",
    "Queue keeps growing",
    "Certificate expired",
    "Disk full",
    "Time-outs from a supplier",
    "Empty pages",
];

/// An incident with its whole course.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub id: String,
    pub services: Vec<String>,
    pub severity: Option<&'static str>,
    pub title: String,
    pub started_at: Time,
    pub detected_at: Time,
    pub acknowledged_at: Time,
    /// `None`: still open at the end.
    pub mitigated_at: Option<Time>,
    pub deployment: Option<String>,
    pub revision: Option<String>,
}

impl Incident {
    /// An incident that begins at `started_at` and is noticed around `detect` later.
    pub(super) fn begin(
        chance: &mut Chance,
        id: String,
        services: Vec<String>,
        started_at: Time,
        detect: Time,
        restore: Time,
    ) -> Self {
        let roll = chance.unit();
        let severity = [(0.08, "critical"), (0.34, "major"), (0.8, "minor"), (0.9, "info")];
        let detected_at = started_at + chance.spread(detect, 0.6);
        let acknowledged_at = detected_at + chance.spread(3 * MINUTE, 0.7);
        Self {
            id,
            services,
            severity: severity.iter().find(|(below, _)| roll < *below).map(|(_, name)| *name),
            title: (*chance.pick(SYMPTOMS)).to_owned(),
            started_at,
            detected_at,
            acknowledged_at,
            mitigated_at: Some(acknowledged_at + chance.spread(restore, 0.7)),
            deployment: None,
            revision: None,
        }
    }

    /// Whether users could not use the services.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.severity, Some("critical" | "major"))
    }

    /// Sends what the tools say of it as it goes on; the status page repeats some of what is severe.
    pub(super) fn send(&self, outbox: &mut Outbox, chance: &mut Chance) {
        let is_public = self.is_outage() && chance.happens(0.35);
        outbox.send(self.acknowledged_at, &self.event(false, None));
        let Some(mitigated_at) = self.mitigated_at else { return };
        outbox.send(mitigated_at, &self.event(true, None));
        // Users are well again; the work on it ends a while later.
        let resolved_at = mitigated_at + chance.spread(90 * MINUTE, 0.8);
        outbox.send(resolved_at, &self.event(true, Some(resolved_at)));
        if is_public {
            let said_at = self.acknowledged_at + 6 * MINUTE;
            let event = json!({
                "kind": "incident", "source": "statuspage", "id": format!("sp-{}", self.id), "services": self.services,
                "title": self.title, "severity": self.severity, "started_at": text(self.detected_at),
                "communicated_at": text(said_at), "resolved_at": text(resolved_at),
                "same_as": format!("pagerduty:{}", self.id),
            });
            outbox.send(resolved_at, &event);
        }
    }

    fn event(&self, is_over: bool, resolved_at: Option<Time>) -> serde_json::Value {
        let one = self.services.len() == 1;
        // The cause is known once it is over.
        let (deployment, revision) = if is_over { (&self.deployment, &self.revision) } else { (&None, &None) };
        without_nulls(json!({
            "kind": "incident", "source": "pagerduty", "id": self.id, "title": self.title,
            "service": one.then(|| self.services[0].clone()),
            "services": (!one).then(|| self.services.clone()),
            "severity": self.severity,
            "started_at": text(self.started_at), "detected_at": text(self.detected_at),
            "acknowledged_at": text(self.acknowledged_at),
            "mitigated_at": maybe(self.mitigated_at.filter(|_| is_over)), "resolved_at": maybe(resolved_at),
            "deployment": deployment, "revision": revision,
            "url": format!("https://oncall.example/{}", self.id),
        }))
    }
}
