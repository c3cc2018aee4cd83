//! A server's life, from the address to the last answer.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use vigie_api::auth::Auth;
use vigie_api::{Limits, ServerOptions};
use vigie_engine::Engine;
use vigie_store::Store;

use crate::config::{self, Config};
use crate::failure::Failure;
use crate::shutdown::Shutdown;
use crate::terminal::{Paint, Tone, say};

/// An address that is ours, and whether a token is asked for there.
pub struct Door {
    listener: TcpListener,
    auth: Auth,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Door {
    /// Takes the address before anything else is done.
    pub fn open(config: &Config) -> Result<Self, Failure> {
        let listen = &config.listen;
        let listener = TcpListener::bind(listen).map_err(|error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "; something listens there already: stop it, or choose another port with --listen"
                }
                std::io::ErrorKind::PermissionDenied => "; choose a port above 1023",
                _ => "",
            };
            Failure::new(format_args!("cannot listen on {listen}: {error}{remedy}"))
        })?;
        let address = listener.local_addr()?;
        Ok(Self { listener, auth: Auth::Open, address })
    }

    /// By the rules: loopback asks for no token unless the site says so, any other address needs one or a word.
    pub async fn guarded(mut self, config: &Config, store: &Store, now: vigie_model::Time) -> Result<Self, Failure> {
        let tokens = store.tokens().await?;
        let is_valid =
            |token: &&vigie_store::Token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| end > now);
        let configured = match config.auth {
            config::Auth::Default => None,
            config::Auth::Token => Some(Auth::Required),
            config::Auth::None => Some(Auth::Open),
        };
        let valid = tokens.iter().filter(is_valid).count();
        self.auth = Auth::for_address(self.address, configured, valid).map_err(Failure::new)?;
        Ok(self)
    }

    /// Serves until somebody asks to stop, then answers what was asked. The engine goes on.
    pub async fn serve(self, engine: Engine, config: &Config, demo: bool, shutdown: &Shutdown) -> Result<(), Failure> {
        let limits = Limits {
            intake_bytes: config.intake.max_request_bytes,
            event_bytes: config.intake.max_event_bytes,
            ..Limits::default()
        };
        let needs_token = self.auth == Auth::Required;
        let takes_webhooks = engine.hooks().is_some();
        let options = ServerOptions { demo, limits, ..ServerOptions::new(self.listener, engine, self.auth) };
        let server = vigie_api::serve(options)?;
        greet(server.address(), needs_token, takes_webhooks, demo);
        shutdown.asked().await;
        server.stop().await?;
        Ok(())
    }
}

/// Says where to look, and what to ask first.
fn greet(address: SocketAddr, needs_token: bool, takes_webhooks: bool, demo: bool) {
    let paint = Paint::for_stderr();
    let host = match address.ip() {
        ip if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => address.to_string(),
    };
    let heading = if demo { "Vigie shows made-up data" } else { "Vigie serves" };
    say(format_args!(
        "{} at {}",
        paint.tone(Tone::Strong, heading),
        paint.tone(Tone::Strong, &format!("http://{host}/"))
    ));
    say(format_args!("  GraphQL   http://{host}/graphql   (a browser shows the explorer)"));
    say(format_args!("  intake    http://{host}/v1/events"));
    if takes_webhooks {
        say(format_args!("  webhooks  http://{host}/v1/hooks/CONNECTOR (vigie connector list)"));
    }
    say(format_args!("  metrics   http://{host}/metrics, health at /health/live and /health/ready"));
    say("To ask something:");
    let token = if needs_token { "-H 'Authorization: Bearer vg_…' " } else { "" };
    say(format_args!(
        "  curl -s http://{host}/graphql {token}--json '{{\"query\": \"{{ scorecard(window: {{last: \\\"P30D\\\"}}) {{ metrics {{ name value status }} }} }}\"}}'"
    ));
    say("Ctrl-C stops it; what was taken is finished first.");
}

/// Whether an address is one that only this machine reaches; `None` where it is none.
pub fn is_loopback(listen: &str) -> Option<bool> {
    let addresses: Vec<SocketAddr> = listen.to_socket_addrs().ok()?.collect();
    (!addresses.is_empty()).then(|| addresses.iter().all(|address| address.ip().to_canonical().is_loopback()))
}
