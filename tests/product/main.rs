//! Product tests: what the whole server promises, proven from outside. One binary.
//!
//! `FLOWMASTER_TEST_DATABASE` chooses the store (`sqlite` by default, or `postgres` with
//! `FLOWMASTER_TEST_POSTGRES`); `cargo xtask test` runs them on both.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and a proof says what it reached"
)]

mod answers;
mod archive;
mod authorization;
mod backup;
mod calls;
mod crash;
#[cfg(target_os = "linux")]
mod faults;
mod following;
mod harness;
mod idempotency;
mod isolation;
mod large;
mod operating;
#[cfg(target_os = "linux")]
mod overload;
mod postgres;
mod program;
mod proof;
mod record;
mod serial;
mod told;
mod transports;
mod upkeep;
mod webhooks;
mod work;
