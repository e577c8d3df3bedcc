//! The `lockstep` command.

use std::{hint::black_box, process::ExitCode, time::Duration};

use clap::Parser as _;
use lockstep::cli::{self, Cli};

/// glibc's allocator takes a fifth of a call's time, and keeps what its per-thread arenas once had.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time between two looks at what can be given back: ten times what mimalloc waits for.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(10);

/// More than anything that is freed at a start, and never touched: it costs nothing but its number.
const LARGE_BYTES: usize = 40 * 1024 * 1024;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return cli::failed(&error.into()),
    };
    runtime.spawn(give_memory_back());
    let code = runtime.block_on(cli::run(cli));
    // Standard input is read by a thread that only the client can end.
    runtime.shutdown_background();
    code
}

/// Gives the system back what was freed. mimalloc does so when something large is freed later, and a
/// server that has loaded its model and waits frees nothing: 20 MiB stayed with it.
async fn give_memory_back() {
    loop {
        tokio::time::sleep(GIVE_BACK_EVERY).await;
        drop(black_box(Vec::<u8>::with_capacity(LARGE_BYTES)));
    }
}
