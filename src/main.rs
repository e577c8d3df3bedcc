//! The `lockstep` command.

use std::process::ExitCode;

use clap::Parser as _;
use lockstep::cli::{self, Cli};

/// glibc's allocator takes a fifth of a call's time, and keeps what its per-thread arenas once had.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return cli::failed(&error.into()),
    };
    let code = runtime.block_on(cli::run(cli));
    // Standard input is read by a thread that only the client can end.
    runtime.shutdown_background();
    code
}
