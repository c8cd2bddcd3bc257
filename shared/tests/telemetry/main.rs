//! What the programs say, as a log and CloudWatch read it.

mod embedded_metrics;
mod every_fact;
mod lines;
mod readme;
