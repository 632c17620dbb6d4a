//! The arguments of a subcommand.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, ValueExt};

use crate::output::Failure;

/// What stands behind `vecstore`, taken one after the other.
pub(crate) struct Arguments {
    given: Vec<OsString>,
    command: String,
}

/// An option or an operand.
pub(crate) enum Argument {
    /// `--name`, without the dashes.
    Option(String),
    Operand(OsString),
}

impl Arguments {
    pub(crate) fn new(given: impl IntoIterator<Item = OsString>) -> Self {
        Self { given: given.into_iter().collect(), command: String::new() }
    }

    /// Takes the name of the command, if there is one.
    pub(crate) fn command(&mut self) -> Result<Option<String>, Failure> {
        if self.given.is_empty() {
            return Ok(None);
        }
        let name = self.given.remove(0).string().map_err(|error| Failure::Usage(error.to_string()))?;
        self.command.clone_from(&name);
        Ok(Some(name))
    }

    pub(crate) fn asks_for_help(&self) -> bool {
        self.given.iter().take_while(|given| *given != "--").any(|given| given == "--help" || given == "-h")
    }

    /// Reads everything: one path, and options, each given to `option` with a way to take its value. `option` says
    /// whether it knows the option.
    pub(crate) fn parse(
        &mut self,
        option: impl FnMut(&str, &mut dyn FnMut() -> Result<String, Failure>) -> Result<bool, Failure>,
    ) -> Result<PathBuf, Failure> {
        let [path] = self.parse_paths(["the path of a store"], option)?;
        Ok(path)
    }

    /// Does what `parse` does for several paths, which are called so in errors.
    pub(crate) fn parse_paths<const N: usize>(
        &mut self,
        names: [&str; N],
        mut option: impl FnMut(&str, &mut dyn FnMut() -> Result<String, Failure>) -> Result<bool, Failure>,
    ) -> Result<[PathBuf; N], Failure> {
        let usage =
            |message: String| Failure::Usage(format!("{message}; see `vecstore {} --help`", self.command));
        let mut paths = Vec::new();
        let mut parser = lexopt::Parser::from_args(std::mem::take(&mut self.given));
        while let Some(argument) = parser.next().map_err(|error| usage(error.to_string()))? {
            let argument = match argument {
                Arg::Short(letter) => Argument::Option(letter.to_string()),
                Arg::Long(name) => Argument::Option(name.to_owned()),
                Arg::Value(value) => Argument::Operand(value),
            };
            match argument {
                Argument::Option(name) => {
                    let mut value = || {
                        let value = parser.value().and_then(ValueExt::string);
                        value.map_err(|error| usage(error.to_string()))
                    };
                    if !option(&name, &mut value)? {
                        return Err(usage(format!("there is no option `{name}`")));
                    }
                }
                Argument::Operand(value) if paths.len() < N => paths.push(PathBuf::from(value)),
                Argument::Operand(value) => {
                    let expected = if N == 1 { "one path".to_owned() } else { format!("{N} paths") };
                    return Err(usage(format!(
                        "expected {expected}, got `{}` as well",
                        value.to_string_lossy()
                    )));
                }
            }
        }
        let missing = names.get(paths.len()).copied().unwrap_or_default();
        paths.try_into().map_err(|_| usage(format!("{missing} is missing")))
    }
}
