//! What must hold of the templates beyond what linters look for.

mod alarms;
mod parameters;
mod rights;
mod settings;
