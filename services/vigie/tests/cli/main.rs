//! The real binary, from outside: what it prints, how it ends, and what is in the database afterwards.

mod bench;
mod connector;
mod crash;
mod database;
mod demo;
mod doctor;
mod git;
mod import;
mod licences;
mod roundtrip;
mod serve;
mod token;
mod usage;
