//! What only PostgreSQL can do: several nodes share the work of one database.

mod killed;
mod nodes;
mod partition;
mod pauses;
