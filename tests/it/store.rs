//! Where sessions are kept: what every store promises, and what a database adds.

mod attack;
mod conformance;
mod database;
mod place;
mod principals;
mod traced;
