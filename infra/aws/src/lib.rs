//! The templates of a deployment on AWS; what they are tested with is in `tests`.
