//! The `lockstep` command.

use std::process::ExitCode;

use clap::Parser as _;
use lockstep::cli::{self, Cli};

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
