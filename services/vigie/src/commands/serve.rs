//! `vigie serve`: intake, GraphQL, pages and scheduled pulls in one process.

use vigie_engine::Folding;

use crate::commands::pull;
use crate::context::{Context, Use};
use crate::demo::MADE_UP;
use crate::failure::Outcome;
use crate::hooks;
use crate::server::Door;
use crate::shutdown::Shutdown;

/// Take events in and answer questions, over HTTP
#[derive(Debug, clap::Args)]
#[command(after_help = "\
On loopback no token is asked for. On any other address the server starts only once a token exists
(vigie token create), or with auth = \"none\" in the configuration.
SIGINT or SIGTERM: finishes what was taken and ends; a second one aborts.")]
pub struct Args {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let flags: Vec<_> = args.listen.into_iter().map(|listen| ("listen", listen)).collect();
    let config = context.load(&flags)?;
    let shutdown = Shutdown::listen("stopping: what was taken is being finished; press again to abort")?;
    let mapping = hooks::mapping(&config)?;
    let door = Door::open(&config)?;
    let engine = context.mapping_engine(&config, Use::Write, Folding::Background, mapping).await?;
    let door = door.guarded(&config, engine.store(), context.now()).await?;
    let pulls = pull::schedule(&config, &engine, &shutdown);
    let is_demo = engine.snapshot().settings().organization.ends_with(MADE_UP);
    let served = door.serve(engine.clone(), &config, is_demo, &shutdown).await;
    pulls.finish().await;
    engine.shutdown().await;
    served
}
