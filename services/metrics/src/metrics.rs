//! The metrics, one file each; what each means stands in metrics.md, what each is known by in the registry.

pub mod budget;
pub(crate) mod change_failure_rate;
pub(crate) mod deployment_frequency;
pub(crate) mod failed_deployment_recovery_time;
pub mod lead_time;
pub(crate) mod mtta;
pub(crate) mod mttd;
pub(crate) mod mttr;
pub mod rework_rate;
pub(crate) mod uptime;
