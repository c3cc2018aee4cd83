//! The log, on standard error.

use tracing_subscriber::EnvFilter;

use crate::terminal::Paint;

/// Starts the log. A server tells what it does, a command only what goes wrong; `RUST_LOG` asks for more.
pub fn start(is_server: bool) {
    let usual = if is_server { "info,actix_server=warn" } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(Paint::for_stderr().is_coloured());
    // A log that was started already (by a test) is as good.
    let _ = format.try_init();
}
