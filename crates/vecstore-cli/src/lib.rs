//! The `vecstore` command. `run` is all of it, so that the Python package installs the same command without a second
//! program.
//!
//! A subcommand is a file of its own with a `Command`; it is listed in `COMMANDS` and is otherwise on its own.

#![forbid(unsafe_code)]

mod arguments;
mod backup;
mod collection;
mod export;
mod import;
mod inspect;
mod interrupt;
mod output;
mod repair;
mod restore;
mod verify;

use std::ffi::OsString;
use std::io::Write;

use arguments::Arguments;
use output::{Console, Failure};

/// Everything is as it should be.
const OK: u8 = 0;
/// The command did its work, and what it found is bad: damage, or records that are lost.
const FOUND: u8 = 1;
/// The command could not do its work.
const FAILED: u8 = 2;
/// The command was interrupted: 128 and the number of the signal, as shells have it.
const INTERRUPTED: u8 = 130;

/// A subcommand.
struct Command {
    name: &'static str,
    /// What is behind the name.
    usage: &'static str,
    /// One line.
    summary: &'static str,
    /// The rest of its help.
    help: &'static str,
    run: fn(&mut Arguments, &mut Console<'_>) -> Result<u8, Failure>,
}

const COMMANDS: &[Command] = &[
    verify::COMMAND,
    repair::COMMAND,
    inspect::COMMAND,
    backup::COMMAND,
    restore::COMMAND,
    export::COMMAND,
    import::COMMAND,
];

/// Runs the command with what stands behind its name, and returns the exit status: 0 if all is well, 1 if damage was
/// found or something is lost, 2 if the command could not be carried out, 130 if it was interrupted (Ctrl-C).
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let mut console = Console { out, errors };
    let outcome = dispatch(Arguments::new(arguments), &mut console).and_then(|status| {
        console.out.flush()?;
        Ok(status)
    });
    match outcome {
        Ok(status) => status,
        // Whoever reads the output, say `head`, has seen enough.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => OK,
        Err(failure) => {
            // Nothing is left to say it to if this fails too.
            _ = writeln!(console.errors, "vecstore: {failure}");
            if matches!(failure, Failure::Interrupted(_)) { INTERRUPTED } else { FAILED }
        }
    }
}

fn dispatch(mut arguments: Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let out = &mut *console.out;
    let Some(name) = arguments.command()? else {
        return print_help(out);
    };
    match name.as_str() {
        "help" | "--help" | "-h" => return print_help(out),
        "--version" | "-V" => {
            writeln!(out, "vecstore {}", env!("CARGO_PKG_VERSION"))?;
            return Ok(OK);
        }
        _ => {}
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        let known = names.join(", ");
        return Err(Failure::Usage(format!("there is no command `{name}`; expected one of {known}, help")));
    };
    if arguments.asks_for_help() {
        writeln!(
            out,
            "{}\n\nUsage: vecstore {} {}\n\n{}",
            command.summary, command.name, command.usage, command.help
        )?;
        return Ok(OK);
    }
    (command.run)(&mut arguments, console)
}

fn print_help(out: &mut dyn Write) -> Result<u8, Failure> {
    writeln!(
        out,
        "Looks after vecstore stores, and moves records in and out.\n\nUsage: vecstore <command> [options] PATH...\n\nCommands:"
    )?;
    for command in COMMANDS {
        writeln!(out, "  {:<9} {}", command.name, command.summary)?;
    }
    writeln!(
        out,
        "\n`vecstore <command> --help` says more. Exit status: 0 if all is well, 1 if damage was found or something is \
         lost, 2 if the command could not be carried out, 130 if it was interrupted."
    )?;
    Ok(OK)
}
