//! All integration tests, in one binary: it links once, and one temporary PostgreSQL serves them all.

mod entities;
mod migrations;
mod support;
