//! The files of the pages, compiled into the binary: nothing is fetched from elsewhere, ever.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::{ApiError, Code};
use crate::http::body::{Ready, takes_gzip};

struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    packed: Ready,
    etag: String,
}

macro_rules! assets {
    ($($name:literal $content_type:literal,)+) => {
        [$(($name, $content_type, &include_bytes!(concat!("../../assets/", $name))[..]),)+]
    };
}

/// Packed and digested when the first of them is asked for.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files = assets! {
        "react.min.js" "text/javascript; charset=utf-8",
        "react-dom.min.js" "text/javascript; charset=utf-8",
        "graphiql.min.js" "text/javascript; charset=utf-8",
        "graphiql.min.css" "text/css; charset=utf-8",
        "explorer.js" "text/javascript; charset=utf-8",
        "page.css" "text/css; charset=utf-8",
        "favicon.svg" "image/svg+xml",
        "LICENSES.txt" "text/plain; charset=utf-8",
    };
    let asset = |(name, content_type, body): (_, _, &'static [u8])| Asset {
        name,
        content_type,
        body,
        packed: Ready::new(body.to_vec(), true),
        etag: digest(body),
    };
    files.into_iter().map(asset).collect()
});

fn digest(body: &[u8]) -> String {
    blake3::hash(body).to_hex()[..16].to_owned()
}

/// The address of an asset, which changes with its content, so that browsers may keep it for ever.
#[must_use]
pub fn address(name: &str) -> String {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => format!("/assets/{name}?v={}", asset.etag.as_str()),
        None => format!("/assets/{name}"),
    }
}

/// `GET /assets/{name}`
pub async fn get(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name.as_str()) else {
        return ApiError::new(Code::NotFound, "there is no such file").response();
    };
    let etag = format!("\"{}\"", asset.etag.as_str());
    let mut response = HttpResponse::Ok();
    let known = request.query_string().strip_prefix("v=") == Some(asset.etag.as_str());
    let keep = if known { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    response
        .insert_header((CACHE_CONTROL, keep))
        .insert_header((ETAG, etag.as_str()))
        .insert_header((VARY, "Accept-Encoding"));
    let unchanged = |value: &actix_web::http::header::HeaderValue| {
        value.to_str().is_ok_and(|list| list.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag))
    };
    if request.headers().get(IF_NONE_MATCH).is_some_and(unchanged) {
        return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    response.insert_header((CONTENT_TYPE, asset.content_type));
    if takes_gzip(&request) && asset.packed.gzip {
        return response.insert_header((CONTENT_ENCODING, "gzip")).body(asset.packed.bytes.clone());
    }
    response.body(asset.body)
}
