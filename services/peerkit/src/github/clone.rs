//! Git's own protocol, answered by git itself.

use std::path::Path;
use std::process::Stdio;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Serves the repositories of a folder to whoever has a token, as a user that is called so.
pub(crate) async fn answer(request: &HttpRequest, body: &Bytes, folder: &Path, user: &str) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let told = STANDARD.decode(header("authorization").trim_start_matches("Basic ")).unwrap_or_default();
    let told = String::from_utf8_lossy(&told);
    let is_known = told.split_once(':').is_some_and(|(name, token)| name == user && !token.is_empty());
    if !is_known {
        return HttpResponse::Unauthorized().insert_header(("www-authenticate", "Basic")).finish();
    }
    match backend(request, body, folder, header).await {
        Ok(output) => of_cgi(&output),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// See `git help http-backend`.
async fn backend<'r>(
    request: &HttpRequest,
    body: &Bytes,
    folder: &Path,
    header: impl Fn(&str) -> &'r str,
) -> std::io::Result<Vec<u8>> {
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", folder).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", request.method().as_str()).env("PATH_INFO", request.path());
    command.env("QUERY_STRING", request.query_string()).env("CONTENT_TYPE", header("content-type"));
    command.env("HTTP_CONTENT_ENCODING", header("content-encoding")).env("GIT_PROTOCOL", header("git-protocol"));
    command.env("CONTENT_LENGTH", body.len().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(body).await?;
    }
    Ok(child.wait_with_output().await?.stdout)
}

fn of_cgi(output: &[u8]) -> HttpResponse {
    let end = output.windows(4).position(|part| part == b"\r\n\r\n").unwrap_or(output.len());
    let mut answer = HttpResponse::Ok();
    for (name, value) in String::from_utf8_lossy(&output[..end]).lines().filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            answer.status(code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::BAD_GATEWAY));
        } else {
            answer.insert_header((name, value));
        }
    }
    answer.body(output.get(end + 4..).unwrap_or_default().to_vec())
}
