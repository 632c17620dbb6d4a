//! `vecstore restore`: a store out of a backup.

use vecstore::VecStore;

use crate::arguments::Arguments;
use crate::output::{Console, Failure, Grouped};
use crate::{Command, OK};

pub(crate) const COMMAND: Command = Command {
    name: "restore",
    usage: "BACKUP TO",
    summary: "Makes a store out of a backup",
    help: "Every byte is checked while it is copied. TO is a new or empty directory; the backup stays as it is.",
    run,
};

fn run(arguments: &mut Arguments, console: &mut Console<'_>) -> Result<u8, Failure> {
    let [backup, to] =
        arguments.parse_paths(["the path of a backup", "where the store goes"], |_, _| Ok(false))?;
    VecStore::options().restore_backup(&backup, &to)?;
    let database = VecStore::options().read_only(true).open_database(&to)?;
    let collections = Grouped(database.list_collections()?.len() as u64);
    writeln!(console.out, "restored {collections} collections to {}", to.display())?;
    Ok(OK)
}
