//! `service.deployed`, `.upgraded` and `.rolledback`: a deployment that succeeded when the event says.
//!
//! The subject is the service, the content names the environment and the artifact. A rollback is one because its source
//! says so; the others are told apart by what was live before, whatever they are called.
//!
//! **Which deployment?** A CDEvent has no id of it. It is the artifact's arrival in the environment within one chain
//! (`chainId`: the run that built and shipped it), so that a service that is announced as deployed and as upgraded, or
//! by each of its instances, or once more after a lost answer, was deployed once, when the last of them says. Without a
//! chain it is the artifact's arrival at that instant; an artifact that is announced again later may really have been
//! deployed again (A, then B, then A): while it is still live, that is a *redeployment*, which counts for nothing.

use vigie_model::json::Json;
use vigie_model::{Kind, format_time};

use super::announcement::{Announcement, place};
use super::artifact::Artifact;
use super::native::{Native, Unfit, as_id};

pub(super) fn deployment<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    arrival(event, "deployed")
}

pub(super) fn rollback<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = arrival(event, "rolledback")?;
    native.put("rollback", Json::Bool(true));
    Ok(native)
}

fn arrival<'a>(event: &Announcement<'a>, how: &str) -> Result<Native<'a>, Unfit> {
    let environment = event.required(&["environment", "id"])?;
    let artifact_id = event.required(&["artifactId"])?;
    let occasion = event.chain.map_or_else(|| format_time(event.at), str::to_owned);
    let artifact_place = || place(&["artifactId"]);
    let artifact = Artifact::read(artifact_id);

    let mut native = Native::new(Kind::Deployment, event);
    native.text("service", "subject.id", event.subject_id);
    native.text("environment", place(&["environment", "id"]), environment);
    native.text("id", artifact_place(), as_id(format!("{how} {artifact_id} {occasion}").into()));
    native.text("revision", artifact_place(), artifact.revision);
    if let Some(repository) = artifact.repository {
        native.text("repository", artifact_place(), repository);
    }
    native.time("finished_at", event.at);
    native.put("outcome", Json::Text("succeeded".into()));
    native.label("artifact", artifact_place(), artifact_id);
    Ok(native)
}
