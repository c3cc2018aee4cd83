//! The baseline of the HTTP benchmark: an actix-web handler that answers the same bytes from memory.
//!
//! `static_answer ADDRESS FILE` answers every POST on /graphql with the bytes of FILE.

use actix_web::{App, HttpResponse, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err(std::io::Error::other("usage: static_answer ADDRESS FILE"));
    };
    let bytes = web::Bytes::from(std::fs::read(file)?);
    HttpServer::new(move || {
        let bytes = bytes.clone();
        let answer = move |_body: web::Bytes| {
            let bytes = bytes.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(bytes) }
        };
        App::new().route("/graphql", web::post().to(answer))
    })
    .bind(address)?
    .run()
    .await
}
