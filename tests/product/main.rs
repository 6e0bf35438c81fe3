//! Product tests: what the whole server promises, proven from outside. One binary.
//!
//! `FLOWMASTER_TEST_DATABASE` chooses the store (`sqlite` by default, or `postgres` with
//! `FLOWMASTER_TEST_POSTGRES`); `cargo xtask test` runs them on both.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod answers;
mod archive;
mod authorization;
mod backup;
mod calls;
mod crash;
#[cfg(target_os = "linux")]
mod faults;
mod harness;
mod idempotency;
mod isolation;
mod large;
mod operating;
mod postgres;
mod program;
mod told;
mod transports;
mod upkeep;
mod work;
