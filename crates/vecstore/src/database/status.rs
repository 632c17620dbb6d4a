//! What may be done with a collection.

use crate::error::Error;

/// What may be done with a collection. It is kept in the manifest.
///
/// Figures ([`VecDatabase::stats`](crate::VecDatabase::stats)), settings, snapshots, backups and deletion of the collection
/// are possible in every status; background upkeep goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NamespaceStatus {
    /// Reads and writes are served.
    #[default]
    Active,
    /// Neither reads nor writes are served.
    Suspended,
    /// Reads are served, writes are not.
    ReadOnly,
    /// As `Suspended`: the collection is about to be deleted. Nothing deletes it by itself.
    PendingDeletion,
}

impl NamespaceStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::ReadOnly, Self::PendingDeletion];

    /// Returns the name, as in `Active`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::ReadOnly => "ReadOnly",
            Self::PendingDeletion => "PendingDeletion",
        }
    }

    /// Returns whether reads are served.
    pub fn allows_reads(self) -> bool {
        matches!(self, Self::Active | Self::ReadOnly)
    }

    /// Returns whether writes are served.
    pub fn allows_writes(self) -> bool {
        self == Self::Active
    }

    pub(crate) fn refusal(self, collection: &str) -> Error {
        let what = match self {
            Self::ReadOnly => "takes no writes",
            _ => "serves no calls",
        };
        Error::unsupported(format!(
            "collection `{collection}` has the status {} and {what}: give it the status Active first",
            self.name()
        ))
    }
}

impl std::str::FromStr for NamespaceStatus {
    type Err = Error;

    /// Reads a name, in upper or lower case, with `_` between its words or without.
    fn from_str(name: &str) -> Result<Self, Error> {
        let plain = name.replace('_', "");
        let known = Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(&plain));
        known.ok_or_else(|| {
            Error::invalid(format!(
                "status must be one of Active, Suspended, ReadOnly, PendingDeletion; got `{name}`"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for status in NamespaceStatus::ALL {
            for name in [status.name().to_owned(), status.name().to_lowercase(), status.name().to_uppercase()]
            {
                assert_eq!(name.parse::<NamespaceStatus>().expect("a name"), status);
            }
        }
        assert_eq!("read_only".parse::<NamespaceStatus>().expect("a name"), NamespaceStatus::ReadOnly);
        let error = "closed".parse::<NamespaceStatus>().expect_err("no name").to_string();
        assert!(error.contains("Active, Suspended, ReadOnly, PendingDeletion; got `closed`"), "{error}");
    }
}
