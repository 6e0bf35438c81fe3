//! The surface, through a real server on a real port, with a small real room behind it.

#[cfg(test)]
mod bridge;
#[cfg(test)]
mod calling;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod events;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod legacy;
#[cfg(test)]
mod modern;
#[cfg(test)]
mod notebook;
#[cfg(test)]
mod pipe;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod sse;
#[cfg(test)]
mod stdio;
#[cfg(test)]
mod talker;
#[cfg(test)]
mod watching;
