//! Answers that are none, and what is made of them: clear words, another try, or less at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vigie_ingest::pull::prometheus::PrometheusSource;
use vigie_ingest::pull::{HttpSettings, PullError};
use vigie_model::{DAY, HOUR, MINUTE, SECOND, format_time};

use crate::server::{Answer, Server};
use crate::{Asking, left, matrix, now, open, pull, source, state, success, time_is, try_pull};

fn error(status: u16, kind: &str, text: &str) -> Answer {
    (status, Vec::new(), json!({"status": "error", "errorType": kind, "error": text}).to_string())
}

/// What a server that knows the time answers to what it is asked then.
async fn refused_with(answer: Answer) -> PullError {
    let server = Server::start(move |asked| match asked.query.get("query").map(String::as_str) {
        Some("time()") => time_is(now()),
        _ => answer.clone(),
    })
    .await;
    try_pull(&source(&server, state("probe_success")), None, now()).await.err().expect("an error")
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let cases: [(Answer, &str, &str); 6] = [
        (error(400, "bad_data", "1:5: parse error: unexpected end"), "1:5: parse error", "has to give 1 while"),
        (error(422, "execution", "multiple matches for labels"), "multiple matches", "mend the query"),
        ((401, vec![], "who are you?".into()), "401", "token_file"),
        ((403, vec![], String::new()), "403", "token_file"),
        ((404, vec![], "404 page not found".into()), "404 page not found", "like https://mimir.example/prometheus"),
        ((200, vec![], "<html>Welcome</html>".into()), "<html>Welcome", "is no Prometheus"),
    ];
    for (answer, why, remedy) in cases {
        let error = refused_with(answer).await;
        let text = error.to_string();
        assert!(matches!(error, PullError::Refused(_)), "{error:?}");
        assert!(text.contains(why) && text.contains(remedy), "{text}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_later() {
    let busy = refused_with((429, vec![("Retry-After", "17".to_owned())], "slow down".into())).await;
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(17)));
    assert!(busy.to_string().contains("slow down"), "{busy}");
    for (answer, why) in [
        ((500, vec![], "oops".into()), "oops"),
        ((502, vec![], "<html>Bad gateway</html>".into()), "Bad gateway"),
        (error(503, "unavailable", "the server is starting"), "the server is starting"),
    ] {
        let error = refused_with(answer).await;
        assert!(matches!(error, PullError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    // A part of the truth is not recorded.
    let partial = json!({"status": "success", "data": {"resultType": "matrix", "result": []},
        "warnings": ["receive series from store-3: connection refused"]});
    let error = refused_with((200, vec![], partial.to_string())).await;
    assert!(matches!(error, PullError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("in part only: receive series from store-3"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be() {
    let server = Server::start(|_| (200, vec![], String::new())).await;
    let mut source = source(&server, state("up"));
    drop(server);
    source.http.url = "http://127.0.0.1:9".to_owned();
    let error = open(&source, None, now()).await.err().unwrap();
    assert!(matches!(error, PullError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("http://127.0.0.1:9/ does not answer: "), "{error}");
}

#[tokio::test]
async fn what_is_too_much_at_once_is_asked_for_in_smaller_pieces() {
    let server = Server::start(|asked| match asked.query.get("query").map(String::as_str) {
        Some("time()") => time_is(now()),
        _ if (asked.millis("end") - asked.millis("start")) / 60_000 >= 1_440 => {
            error(422, "execution", "query processing would load too many samples into memory in query execution")
        }
        _ => matrix(asked, &vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))]),
    })
    .await;
    let source = PrometheusSource { since: Some(now() - 3 * DAY), ..source(&server, state("up")) };
    let pulled = pull(&source, None, now()).await;
    assert_eq!(pulled.read_until, Some(now() - MINUTE));
    assert!(pulled.pages >= 4, "{}", pulled.pages);
    // Where even little is too much, it is said.
    let error = refused_with(error(503, "timeout", "query timed out in expression evaluation")).await;
    assert!(error.to_string().contains("ask for fewer series, or a longer step"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_followed_at_home_and_nowhere_else() {
    let server = Server::start(|asked| match asked.path.as_str() {
        path if path.starts_with("/old/") => {
            let query: Vec<String> = asked.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let to = format!("{}?{}", path.replace("/old/", "/prometheus/"), query.join("&"));
            (302, vec![("Location", to)], String::new())
        }
        _ if asked.query["query"] == "time()" => time_is(now()),
        _ => matrix(asked, &vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))]),
    })
    .await;
    let mut source = source(&server, state("up"));
    source.http.url.push_str("/old");
    assert_eq!(pull(&source, None, now()).await.events.len(), 1);

    let elsewhere =
        Server::start(|_| (302, vec![("Location", "http://sso.example/login".to_owned())], String::new())).await;
    source.http.url = elsewhere.url.clone();
    let error = open(&source, None, now()).await.err().unwrap().to_string();
    assert!(error.contains("sends to http://sso.example/login; write the URL that answers itself"), "{error}");
}

#[tokio::test]
async fn credentials_and_headers_are_sent_with_every_request() {
    let server = Server::start(|_| time_is(now())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let mut source = source(&server, state("up"));
    let plain = source.http.clone();
    let headers = vec![("X-Scope-OrgID".to_owned(), "payments".to_owned())];
    source.http = HttpSettings { token_file: file("token", "abc\n"), headers, ..plain.clone() };
    open(&source, None, now()).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.headers["authorization"], "Bearer abc");
    assert_eq!(asked.headers["x-scope-orgid"], "payments");
    let password_file = file("password", "s3cret");
    source.http = HttpSettings { username: Some("vigie".into()), password_file, ..plain.clone() };
    open(&source, None, now()).await.unwrap();
    assert_eq!(server.asked()[1].headers["authorization"], "Basic dmlnaWU6czNjcmV0");
    for (settings, why) in [
        (HttpSettings { token_file: file("none", "\n"), ..plain.clone() }, "holds no token"),
        (HttpSettings { token_file: Some(folder.path().join("away")), ..plain.clone() }, "away cannot be read"),
        (HttpSettings { ca_file: file("ca", "no certificate"), ..plain.clone() }, "the certificates in"),
    ] {
        source.http = settings;
        let error = open(&source, None, now()).await.err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn clocks_that_differ_are_told_of_and_nothing_is_asked_of_the_future() {
    let late = now() - HOUR;
    let server = Server::start(move |asked| match asked.query["query"].as_str() {
        // As some servers have it: a vector of one.
        "time()" => success(
            &json!({"resultType": "vector", "result": [{"metric": {}, "value": [0, (late / 1_000_000).to_string()]}]}),
        ),
        _ => matrix(asked, &vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))]),
    })
    .await;
    let pulled = pull(&source(&server, state("up")), None, now()).await;
    assert_eq!(pulled.read_until, Some(late - MINUTE));
    assert!(pulled.notes[0].contains(&format!("the server's clock says {}", format_time(late))), "{:?}", pulled.notes);
}

#[tokio::test]
async fn a_run_that_breaks_off_goes_on_behind_the_last_page() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |what| match what.query["query"].as_str() {
        "time()" => time_is(now()),
        // The third page is refused, once.
        _ if asked.fetch_add(1, Ordering::Relaxed) == 2 => (500, vec![], "the disk is full".into()),
        _ => matrix(what, &vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))]),
    })
    .await;
    let asked = Asking { step: Some(15 * SECOND), ..state("up") };
    let source = PrometheusSource { since: Some(now() - 5 * DAY), ..source(&server, asked) };
    let (mut pages, mut cursor, mut events) = (open(&source, None, now()).await.unwrap(), None, Vec::new());
    let error = loop {
        match pages.next().await {
            Ok(page) => {
                let page = page.unwrap();
                (cursor, events) = (Some(page.cursor), [events, page.events].concat());
            }
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(cursor.is_some() && events.len() == 3, "a day and a half, and a day: {}", events.len());
    let rest = pull(&source, cursor.as_deref(), now()).await;
    events.extend(rest.events);
    let whole = pull(&source, None, now()).await;
    assert_eq!(left(&events), left(&whole.events));
    assert_eq!(rest.cursor, whole.cursor);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_tried_again_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cutting = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\": \"succ").await;
        }
    });
    let server = Server::start(|_| time_is(now())).await;
    let mut source = source(&server, state("up"));
    source.http.url = url;
    let error = open(&source, None, now()).await.err().unwrap();
    assert!(matches!(error, PullError::Unavailable { .. }), "{error:?}");
    cutting.abort();
}
