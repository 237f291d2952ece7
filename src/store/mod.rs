//! Where the tasks are: the only module that names `sea_orm`.

// Nothing reads the entities yet; the allowance goes when the first query comes.
#[allow(dead_code)]
mod entity;
pub mod migrate;
