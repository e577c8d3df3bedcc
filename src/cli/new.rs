//! `lockstep new`.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::{
    config::Config,
    workflow::{self, Scaffolded, WorkflowType},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a workflow: of a definition, or a small example to be changed.
    Workflow(WorkflowArguments),
}

#[derive(Debug, clap::Args)]
struct WorkflowArguments {
    /// Its name, such as `release_v1`: letters, digits, `_`, `-` and `.`.
    name: String,
    /// A definition in YAML.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    settings: super::ContentSettings,
}

/// Makes what is asked for and says what to do next.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let What::Workflow(arguments) = &arguments.what;
    let settings = &arguments.settings;
    let config = Config::load(settings.config.as_deref(), settings)?;
    let name = WorkflowType::try_from(arguments.name.as_str())?;
    let made = match &arguments.from {
        Some(file) => {
            let definition = fs::read_to_string(file);
            let definition =
                definition.with_context(|| format!("cannot read {}", file.display()))?;
            workflow::scaffold(&config.content, &name, file, &definition)?
        }
        None => {
            let file = Path::new("the example");
            workflow::scaffold(&config.content, &name, file, workflow::EXAMPLE)?
        }
    };
    report(&config.content, &made)?;
    Ok(ExitCode::SUCCESS)
}

fn report(content: &Path, made: &Scaffolded) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for file in &made.files {
        writeln!(stdout, "{}", content.join(file).display())?;
    }
    if let Some(note) = &made.note {
        writeln!(stdout, "\nNote: {note}.")?;
    }
    let (name, shown) = (&made.workflow, content.display());
    writeln!(
        stdout,
        "\nThe workflow `{name}` is made, and a server over {shown} offers it from now on. Next:\n\
         1. Write in each task what is to be done, and in each gate what shall be proved.\n\
         2. lockstep check --content {shown}\n\
         3. Let an agent call the tool `workflow` with action `start`, workflow_type `{name}` and a \
         target_file."
    )
}
