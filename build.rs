//! Lets the binary say what it was built by and from. No name begins with `LOCKSTEP_`: cargo
//! hands them to what it runs, where such names are settings.

use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through the environment"
)]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BUILT_REVISION");
    let rustc = std::env::var("RUSTC").expect("cargo sets it");
    let version = Command::new(rustc).arg("--version").output();
    let version = version.expect("cargo has just run it").stdout;
    let version = String::from_utf8_lossy(&version);
    // `rustc 1.95.0 (…)`.
    let version = version.split(' ').nth(1).unwrap_or("unknown").trim();
    println!("cargo:rustc-env=BUILT_BY_RUSTC={version}");
    // Given by whoever builds an image: asking git would build anew after each commit.
    let revision = std::env::var("BUILT_REVISION");
    let revision = revision.unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo:rustc-env=BUILT_REVISION={revision}");
}
