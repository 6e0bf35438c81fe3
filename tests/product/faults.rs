//! A disk that fails, is full or loses its power, under load: no acknowledged call is lost, none has its effect
//! twice, and the server goes on by itself. About SQLite; on PostgreSQL the disk is the server's.

mod corrupt;
mod full;
mod io_error;
mod power_cut;
mod simulation;
