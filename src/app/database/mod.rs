//! Commands about a database that several machines share their logins in.

pub mod check;
pub mod damage;
pub mod goclaw;
pub mod ready;
pub mod rekey;
pub mod source;
