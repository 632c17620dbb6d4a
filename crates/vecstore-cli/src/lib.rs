//! The `vecstore` command. `run` is all of it, so that the Python package installs the same command without a second
//! program.
//!
//! A subcommand is a file of its own with a `Command`; it is listed in `COMMANDS` and is otherwise on its own.

#![forbid(unsafe_code)]

mod arguments;
mod inspect;
mod output;
mod repair;
mod verify;

use std::ffi::OsString;
use std::io::Write;

use arguments::Arguments;
use output::Failure;

/// Everything is as it should be.
const OK: u8 = 0;
/// The command did its work, and what it found is bad: damage, or records that are lost.
const FOUND: u8 = 1;
/// The command could not do its work.
const FAILED: u8 = 2;

/// A subcommand.
struct Command {
    name: &'static str,
    /// What is behind the name.
    usage: &'static str,
    /// One line.
    summary: &'static str,
    /// The rest of its help.
    help: &'static str,
    run: fn(&mut Arguments, &mut dyn Write) -> Result<u8, Failure>,
}

const COMMANDS: &[Command] = &[verify::COMMAND, repair::COMMAND, inspect::COMMAND];

/// Runs the command with what stands behind its name, and returns the exit status: 0 if all is well, 1 if damage was
/// found or something is lost, 2 if the command could not be carried out.
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let outcome = dispatch(Arguments::new(arguments), out).and_then(|status| {
        out.flush()?;
        Ok(status)
    });
    match outcome {
        Ok(status) => status,
        // Whoever reads the output, say `head`, has seen enough.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => OK,
        Err(failure) => {
            // Nothing is left to say it to if this fails too.
            _ = writeln!(errors, "vecstore: {failure}");
            FAILED
        }
    }
}

fn dispatch(mut arguments: Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
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
    (command.run)(&mut arguments, out)
}

fn print_help(out: &mut dyn Write) -> Result<u8, Failure> {
    writeln!(out, "Looks after vecstore stores.\n\nUsage: vecstore <command> [options] PATH\n\nCommands:")?;
    for command in COMMANDS {
        writeln!(out, "  {:<9} {}", command.name, command.summary)?;
    }
    writeln!(
        out,
        "\n`vecstore <command> --help` says more. Exit status: 0 if all is well, 1 if damage was found or something is \
         lost, 2 if the command could not be carried out."
    )?;
    Ok(OK)
}
