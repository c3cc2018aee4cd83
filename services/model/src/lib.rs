//! Vigie's vocabulary: events, entities, facts, windows, settings and the clock.
//!
//! What every other crate shares and nothing more. Deliberately absent: I/O, async, SQL, HTTP and the
//! ambient clock. Values of these types are already checked: their only constructors parse.
//!
//! To add a field to an event, add a line to the table in [`kinds`], and where a fold needs it, a member to its
//! view in [`views`]. To add a fact, describe its columns once in [`facts`]: the store, the frames and the
//! exports follow.

pub mod duration;
pub mod entity;
pub mod event;
pub mod facts;
pub mod json;
pub mod kinds;
pub mod pattern;
pub mod people;
pub mod schedule;
pub mod schema;
pub mod settings;
mod time;
pub mod views;
pub mod window;

pub use entity::Entity;
pub use event::{Digest, Event, Rejection, StoredEvent, Value};
pub use kinds::{FieldId, Kind};
pub use settings::Settings;
pub use time::{Clock, DAY, HOUR, MINUTE, SECOND, SetClock, SystemClock, Time, TimeError, format_time, parse_time};
