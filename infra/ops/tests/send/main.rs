//! `sealpost send` as an operator runs it: against the whole pipeline, against an AWS that does as it is told, and without any.

mod arriving;
mod dry_run;
mod endings;
mod missing;
mod scripted;
mod tool;
