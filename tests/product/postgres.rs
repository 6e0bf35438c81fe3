//! What only PostgreSQL can do: several nodes share the work of one database.

mod nodes;
mod partition;
