//! What this binary was built from.

/// The package's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of the compiler.
pub const RUSTC: &str = env!("BUILT_BY_RUSTC");
/// The commit, where `BUILT_REVISION` named it at the build; else `unknown`.
pub const REVISION: &str = env!("BUILT_REVISION");
/// The optional parts that are in it, joined by commas.
pub const FEATURES: &str = "";
