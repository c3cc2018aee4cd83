//! How many requests a second the server answers, measured from the same machine over HTTP with kept connections:
//! a static page, an equal question again and again, and a one-service scorecard for many services.
//!
//! `cargo run -p vigie-api --example throughput [SECONDS] [SERVICES]`. Client and server share the cores, so read the
//! ratios, not the numbers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vigie_api::auth::Auth;
use vigie_api::{ServerOptions, serve};
use vigie_engine::{Engine, EngineOptions};
use vigie_model::SystemClock;
use vigie_store::{ConnectOptions, Store};
use vigie_testkit::events::deployed;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CONNECTIONS: usize = 16;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let argument =
        |at: usize, default: u64| std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seconds, services) = (argument(1, 4), argument(2, 1_000));
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("vigie.db").display());
    let now = vigie_model::Clock::now(&SystemClock);
    let store = Store::open(&url, ConnectOptions::default(), now).await?;
    let engine = Engine::open(EngineOptions::new(store)).await?;
    fill(&engine, services, now).await?;
    let server = serve(ServerOptions::new(TcpListener::bind("127.0.0.1:0")?, engine, Auth::Open))?;
    let address = server.address();

    let month = "{last: \\\"P30D\\\"}";
    let card = move |service: u64, mark: u64| {
        let query = format!(
            "{{ scorecard(scope: {{service: \\\"s{service}\\\"}}, window: {month}) {{ metrics {{ name value noData numerator denominator sampleSize status level }} }} }} # {mark}"
        );
        post(&format!("{{\"query\": \"{query}\"}}"))
    };
    let live = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    let base = measure("static answer", address, seconds, move |_| live.clone()).await?;
    let equal = card(0, 0);
    let kinds: [(&str, Box<dyn Fn(u64) -> String + Send + Sync>); 3] = [
        ("equal scorecards", Box::new(move |_| equal.clone())),
        ("scorecards of many services", Box::new(move |n| card(n.wrapping_mul(7_919) % services, 0))),
        ("never the same text twice", Box::new(move |n| card(n % services, n))),
    ];
    for (name, request) in kinds {
        let rate = measure(name, address, seconds, request).await?;
        println!("    {:.2} of a static answer", rate / base);
    }
    let with_variables = move |n: u64| {
        let query = "query ($s: ScopeInput, $w: WindowInput!) { scorecard(scope: $s, window: $w) { metrics { name value noData numerator denominator sampleSize status level } } }";
        post(&format!(
            "{{\"query\": \"{query}\", \"variables\": {{\"n\": {n}, \"s\": {{\"service\": \"s{}\"}}, \"w\": {{\"last\": \"P30D\"}}}}}}",
            n % services
        ))
    };
    let rate = measure("one text, never the same variables", address, seconds, with_variables).await?;
    println!("    {:.2} of a static answer", rate / base);
    server.stop().await?;
    Ok(())
}

async fn fill(engine: &Engine, services: u64, now: i64) -> Result<(), Failure> {
    for service in 0..services {
        let at = |n: i64| vigie_model::format_time(now - n * vigie_model::DAY);
        let events = (1..60).map(|n| deployed(&format!("s{service}"), &format!("d{n}"), &at(n)).event()).collect();
        engine.submit(events).await?;
    }
    engine.fold_all().await?;
    Ok(())
}

fn post(body: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn measure(
    name: &str,
    address: SocketAddr,
    seconds: u64,
    request: impl Fn(u64) -> String + Send + Sync + 'static,
) -> Result<f64, Failure> {
    let (count, request) = (Arc::new(AtomicU64::new(0)), Arc::new(request));
    let begun = Instant::now();
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (count, request) = (count.clone(), request.clone());
            tokio::task::spawn_blocking(move || talk(address, begun + Duration::from_secs(seconds), &count, &*request))
        })
        .collect();
    for thread in threads {
        thread.await??;
    }
    #[allow(clippy::cast_precision_loss)]
    let rate = count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    println!("{name}: {rate:.0} a second");
    Ok(rate)
}

fn talk(address: SocketAddr, end: Instant, count: &AtomicU64, request: &dyn Fn(u64) -> String) -> Result<(), Failure> {
    let mut line = TcpStream::connect(address)?;
    line.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    while Instant::now() < end {
        let number = count.fetch_add(1, Ordering::Relaxed);
        line.write_all(request(number).as_bytes())?;
        let mut heard = 0;
        while !is_whole(&buffer[..heard]) {
            let more = line.read(&mut buffer[heard..])?;
            if more == 0 {
                return Err("the server hung up".into());
            }
            heard += more;
        }
        if !buffer.starts_with(b"HTTP/1.1 200") || buffer[..heard].windows(8).any(|part| part == b"\"errors\"") {
            return Err(String::from_utf8_lossy(&buffer[..heard]).into_owned().into());
        }
    }
    Ok(())
}

/// Whether a whole answer was heard.
fn is_whole(heard: &[u8]) -> bool {
    let text = String::from_utf8_lossy(heard);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}
