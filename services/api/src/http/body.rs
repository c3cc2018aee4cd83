//! Bodies: taken in piece by piece up to a limit, given out compressed where that pays.

use std::io::Write;
use std::time::Duration;

use actix_web::dev::{Decompress, Payload};
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;

use crate::error::{ApiError, Code, Result};

/// Reads a body, unpacked where it came packed, of at most `limit` bytes within `patience`.
///
/// # Errors
/// Too large (413), too slow (408), or broken off.
pub async fn read(request: &HttpRequest, payload: Payload, limit: usize, patience: Duration) -> Result<Bytes> {
    let too_large =
        || ApiError::too_large(format!("the body has more than {limit} bytes; send it in several requests"));
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut pieces = Decompress::from_headers(payload, request.headers());
    let whole = async {
        let Some(first) = pieces.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(|_| broken())?;
        // Nearly every body comes in one piece; only the others are put together.
        let Some(second) = pieces.next().await else {
            return if first.len() > limit { Err(too_large()) } else { Ok(first) };
        };
        let mut body = BytesMut::from(&first[..]);
        body.extend_from_slice(&second.map_err(|_| broken())?);
        while let Some(piece) = pieces.next().await {
            if body.len() > limit {
                break;
            }
            body.extend_from_slice(&piece.map_err(|_| broken())?);
        }
        if body.len() > limit { Err(too_large()) } else { Ok(body.freeze()) }
    };
    match tokio::time::timeout(patience, whole).await {
        Ok(body) => body,
        Err(_) => Err(ApiError {
            status: Some(actix_web::http::StatusCode::REQUEST_TIMEOUT),
            ..ApiError::new(Code::BadInput, "the body came too slowly; send it again")
        }),
    }
}

fn broken() -> ApiError {
    ApiError::bad_input("the body broke off or is not packed as its Content-Encoding says; send it again")
}

/// Below this, packing costs more than it saves.
const WORTH_PACKING: usize = 1400;

/// Whether the client takes gzip. Nothing else is ever offered: the data sources of some dashboards unpack nothing else,
/// whatever they say.
#[must_use]
pub fn takes_gzip(request: &HttpRequest) -> bool {
    let Some(accepted) = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    accepted.split(',').any(|offer| {
        let (name, quality) = offer.split_once(';').map_or((offer, ""), |(name, quality)| (name, quality.trim()));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// A body that is ready to be sent, and sent again.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What is sent.
    pub bytes: Bytes,
    /// It is packed.
    pub gzip: bool,
    /// Sent beside it, as `Vigie-Notice`.
    pub notice: Option<HeaderValue>,
}

/// A notice as a header can hold it.
#[must_use]
pub fn notice(text: &str) -> Option<HeaderValue> {
    let printable = text.chars().map(|sign| if sign == ' ' || sign.is_ascii_graphic() { sign } else { '?' });
    HeaderValue::try_from(printable.collect::<String>()).ok()
}

impl Ready {
    /// Packs a body where the client takes it so and it pays.
    #[must_use]
    pub fn new(body: Vec<u8>, gzip: bool) -> Self {
        if gzip && body.len() >= WORTH_PACKING {
            let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
            if let Ok(packed) = encoder.write_all(&body).and_then(|()| encoder.finish()) {
                return Self { bytes: packed.into(), gzip: true, notice: None };
            }
        }
        Self { bytes: body.into(), gzip: false, notice: None }
    }

    /// The answer, of the given type. Answers are never kept by anybody between: they are true for an instant, and for
    /// whom they were made.
    #[must_use]
    pub fn response(self, content_type: &'static str) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_TYPE, content_type)).insert_header((CACHE_CONTROL, "no-store"));
        if self.gzip {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        if let Some(notice) = self.notice {
            response.insert_header((HeaderName::from_static("vigie-notice"), notice));
        }
        response.insert_header((VARY, "Accept-Encoding")).body(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn gzip_is_the_only_packing() {
        let takes = |accepted: &str| {
            takes_gzip(&TestRequest::default().insert_header((ACCEPT_ENCODING, accepted)).to_http_request())
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate,gzip"));
        assert!(!takes("br, zstd") && !takes("gzip;q=0") && !takes("identity"));
    }

    #[test]
    fn small_bodies_stay_as_they_are() {
        assert!(!Ready::new(vec![b'x'; 200], true).gzip);
        assert!(Ready::new(vec![b'x'; 20_000], true).gzip);
        assert!(!Ready::new(vec![b'x'; 20_000], false).gzip);
    }
}
