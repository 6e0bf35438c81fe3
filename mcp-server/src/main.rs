//! The `flowmaster` program.
fn main() {}
