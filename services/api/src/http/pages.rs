//! The pages: the way in, and the explorer.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

use crate::http::assets::address;

/// Everything from here and nothing from elsewhere; no inline script or style, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const DEMO: &str = "<p class=\"notice\" role=\"note\">This is a demonstration: the organisation and all of its data are made up.</p>\n";

fn page(title: &str, head: &str, body: &str, demo: bool) -> HttpResponse {
    let notice = if demo { DEMO } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"{icon}\">\n<link rel=\"stylesheet\" href=\"{css}\">\n{head}</head>\n{open}{notice}{body}</body>\n</html>\n",
        icon = address("favicon.svg"),
        css = address("page.css"),
        open = if head.is_empty() { "<body>\n" } else { "<body class=\"explorer\">\n" },
    );
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(html)
}

/// The explorer: GraphiQL on this server's endpoint.
#[must_use]
pub fn explorer(demo: bool) -> HttpResponse {
    let head = format!(
        "<link rel=\"stylesheet\" href=\"{css}\">\n<script defer src=\"{react}\"></script>\n\
         <script defer src=\"{dom}\"></script>\n<script defer src=\"{graphiql}\"></script>\n\
         <script defer src=\"{start}\"></script>\n",
        css = address("graphiql.min.css"),
        react = address("react.min.js"),
        dom = address("react-dom.min.js"),
        graphiql = address("graphiql.min.js"),
        start = address("explorer.js"),
    );
    page("Vigie · explorer", &head, "<div id=\"explorer\">Loading the explorer…</div>\n", demo)
}

/// The front page, with examples that can be copied as they stand: `host` is what the browser asked.
#[must_use]
pub fn front(demo: bool, host: &str) -> HttpResponse {
    let is_host = |sign: char| sign.is_ascii_alphanumeric() || ".-:[]".contains(sign);
    let host = if !host.is_empty() && host.chars().all(is_host) { host } else { "localhost:8080" };
    page("Vigie", "", &FRONT.replace("HOST", host), demo)
}

const FRONT: &str = r##"<main>
<h1>Vigie</h1>
<p>Delivery and reliability metrics of teams and services, each number with its evidence.</p>
<p><a class="button" href="/graphql">Open the explorer</a></p>
<h2>Endpoints</h2>
<table>
<tr><td><code>/graphql</code></td><td>Every number, with numerator, denominator, definition and rows. POST a query; a browser sees the explorer. <code>GET /graphql?query=…</code> with <code>Accept: application/json</code> answers too.</td></tr>
<tr><td><code>/v1/table</code></td><td>The same answers flat, as CSV (or <code>?format=json</code>), for spreadsheets and dashboards.</td></tr>
<tr><td><code>/v1/events</code></td><td>POST events: an object, an array, or one object a line.</td></tr>
<tr><td><code>/metrics</code></td><td>How this server is doing, for Prometheus.</td></tr>
<tr><td><code>/health/live</code>, <code>/health/ready</code></td><td>Whether it runs, and whether its answers are up to date.</td></tr>
</table>
<h2>Try</h2>
<pre>curl -s 'http://HOST/graphql' -H 'Content-Type: application/json' \
  -d '{"query": "{ scorecard(window: {last: \"P30D\"}) { metrics { name value noData } } }"}'

curl -s 'http://HOST/v1/table?last=P30D&amp;by=SERVICE'

curl -s 'http://HOST/v1/events' -d '{"kind": "deployment", "service": "checkout", "id": "1",
  "finished_at": "2026-10-01T12:00:00Z", "outcome": "succeeded"}'</pre>
<p>Where the server asks for a token, send it as <code>Authorization: Bearer vg_…</code>.</p>
<p><small><a href="/assets/LICENSES.txt">Licences of the software in these pages</a></small></p>
</main>
"##;
