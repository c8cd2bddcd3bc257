//! `sealpost attach` and `sealpost detach` as an operator runs them, on user pools over the wire.

mod api;
mod cognito;
mod described;
mod functions;
mod generator;
mod invoking;
mod others;
mod refusing;
mod snapshot;
mod strictness;
mod surviving;
mod telling;
mod tool;
mod world;
