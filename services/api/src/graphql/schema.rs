//! The schema itself, built once.

use async_graphql::{EmptyMutation, EmptySubscription, Schema, ValidationMode};

use super::types::Query;

pub(super) type VigieSchema = Schema<Query, EmptyMutation, EmptySubscription>;

/// How deep selections may be nested before anything else is looked at: above the limit of `cost`, which says it
/// better, and far below what a stack holds.
const RECURSION: usize = 64;

pub(super) fn build(mode: ValidationMode) -> VigieSchema {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .validation_mode(mode)
        .limit_recursive_depth(RECURSION)
        .finish()
}

/// The schema in GraphQL's own language, as it stands in `schema/schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .prefer_single_line_descriptions()
        .use_space_ident()
        .include_specified_by();
    build(ValidationMode::Strict).sdl_with_options(options)
}
