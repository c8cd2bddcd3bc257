//! `sealpost completions` and `sealpost man`: the command line, described for shells and for `man`.

use std::io::{self, Write as _};

use clap_complete::Shell;
use clap_mangen::Man;

#[derive(clap::Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn completions(arguments: &CompletionsArguments, mut cli: clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli, "sealpost", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}

/// One page with every command, since a page for each would have to be installed to be read.
pub(crate) fn manual(mut cli: clap::Command) -> anyhow::Result<()> {
    cli.build();
    let mut page = Vec::new();
    Man::new(cli.clone()).render(&mut page)?;
    commands(&cli, "sealpost", &mut page)?;
    io::stdout().write_all(&page)?;
    Ok(())
}

fn commands(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        let name = format!("{name} {}", inner.get_name());
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
        let man = Man::new(inner.clone());
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        commands(inner, &name, page)?;
    }
    Ok(())
}
