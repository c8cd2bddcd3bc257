//! `sealpost attach` and `sealpost detach` as an operator runs them, on user pools over the wire.

mod api;
mod cognito;
mod functions;
mod generator;
mod snapshot;
mod strictness;
mod surviving;
mod tool;
mod world;
