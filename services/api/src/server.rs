//! The server: the routes, the threads, and how it stops.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::http::header::HOST;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev};
use vigie_engine::Engine;

use crate::auth::Auth;
use crate::error::{ApiError, Code};
use crate::http::{assets, events, graphql, health, hooks, pages, table};
use crate::state::{Limits, State};

/// What a server needs.
pub struct ServerOptions {
    /// Where it listens, bound already: whoever binds it can say what went wrong, and a test can use port 0.
    pub listener: TcpListener,
    /// What it serves.
    pub engine: Engine,
    /// Whether it asks for a token; see [`Auth::for_address`].
    pub auth: Auth,
    /// Every page says that the data are made up.
    pub demo: bool,
    /// How much a client may ask.
    pub limits: Limits,
    /// Threads that serve connections, and as many for long work; 0: one for each core.
    pub workers: usize,
}

impl ServerOptions {
    /// A server with the defaults.
    #[must_use]
    pub fn new(listener: TcpListener, engine: Engine, auth: Auth) -> Self {
        Self { listener, engine, auth, demo: false, limits: Limits::default(), workers: 0 }
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    handle: dev::ServerHandle,
    done: tokio::task::JoinHandle<io::Result<()>>,
}

/// How long a connection may stay idle, longer than what usual proxies keep theirs.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a request's head may take to come.
const HEAD: Duration = Duration::from_secs(10);
/// How long what was taken may take to be finished once the server stops.
const FINISH_SECONDS: u64 = 30;

/// Starts a server on the runtime of the caller.
///
/// # Errors
/// Those of the listener.
pub fn serve(options: ServerOptions) -> io::Result<Server> {
    let ServerOptions { listener, engine, auth, demo, limits, workers } = options;
    let workers = if workers > 0 { workers } else { std::thread::available_parallelism().map_or(2, usize::from) };
    let address = listener.local_addr()?;
    let connections = limits.connections;
    let state = Data::new(State::new(engine, auth, limits, demo, workers));
    let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
        .workers(workers)
        .max_connections(connections)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD)
        .shutdown_timeout(FINISH_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(Server { address, handle: server.handle(), done: tokio::spawn(server) })
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: takes no new connection and finishes what was taken, for half a minute at most.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn stop(self) -> io::Result<()> {
        self.handle.stop(true).await;
        self.done.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

fn routes(app: &mut ServiceConfig) {
    app.service(
        web::resource("/graphql")
            .route(web::post().to(graphql::post))
            .route(web::get().to(graphql::get))
            .default_service(web::to(graphql::other)),
    )
    .service(web::resource("/v1/events").route(web::post().to(events::post)).default_service(web::to(only_post)))
    .service(
        web::resource("/v1/hooks/{connector}").route(web::post().to(hooks::post)).default_service(web::to(only_post)),
    )
    .service(web::resource("/v1/table").route(web::get().to(table::get)))
    .service(web::resource("/metrics").route(web::get().to(health::metrics)))
    .service(web::resource("/health/live").route(web::get().to(health::live)))
    .service(web::resource("/health/ready").route(web::get().to(health::ready)))
    .service(web::resource("/assets/{name}").route(web::get().to(assets::get)))
    .service(web::resource("/").route(web::get().to(front)))
    .default_service(web::to(nowhere));
}

async fn front(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    pages::front(state.demo, host)
}

async fn only_post() -> HttpResponse {
    let status = Some(actix_web::http::StatusCode::METHOD_NOT_ALLOWED);
    ApiError { status, ..ApiError::bad_input("what comes in here comes with POST") }.response()
}

async fn nowhere() -> HttpResponse {
    ApiError::new(Code::NotFound, "there is nothing here; / says what there is").response()
}
