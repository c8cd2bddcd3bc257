//! The stack's templates, read as CloudFormation reads them: `template.yaml` (Sealpost) and `demo-pool.yaml` (a user pool to
//! try it with).

mod rights;
mod template;
mod yaml;

pub use rights::{Right, rights};
pub use template::Template;
