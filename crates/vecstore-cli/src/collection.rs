//! The collection of a database that a command is about.

use vecstore::{Collection, VecDatabase};

use crate::output::Failure;

/// The name of the collection that a store has.
pub(crate) const DEFAULT: &str = "default";

/// Returns the collection of this name.
pub(crate) fn named(database: &VecDatabase, name: &str) -> Result<Collection, Failure> {
    database.get_collection(name)?.ok_or_else(|| {
        let shown = shown(&database.list_collections().unwrap_or_default());
        Failure::Usage(format!("no collection is named `{}`; there are: {shown}", name.escape_debug()))
    })
}

/// Returns the collection that is asked for: by name, or else `default`, or the only one.
pub(crate) fn chosen(database: &VecDatabase, name: Option<&str>) -> Result<Collection, Failure> {
    if let Some(name) = name {
        return named(database, name);
    }
    let names = database.list_collections()?;
    match names.as_slice() {
        [only] => named(database, only),
        _ if names.iter().any(|name| name == DEFAULT) => named(database, DEFAULT),
        _ => Err(Failure::Usage(format!("say which one with --collection; there are: {}", shown(&names)))),
    }
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.escape_debug())).collect();
    if names.len() > SHOWN {
        text.push(format!("{} more", names.len() - SHOWN));
    }
    if text.is_empty() { "none".to_owned() } else { text.join(", ") }
}
