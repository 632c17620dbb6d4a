//! Promises of filters: each spelling means the same, the matcher agrees with an evaluator written to be obvious, and no
//! text or tree does harm.

mod dict;
mod equivalence;
mod limits;
mod oracle;
mod semantics;
mod sql_text;
pub(crate) mod strategies;

use crate::error::Result;
use crate::filter::Filter;
use crate::metadata::{DocumentRef, Metadata, encode};

/// Evaluates a filter the way a query does.
fn matches(filter: &Filter, metadata: &Metadata) -> Result<bool> {
    Ok(filter.compile()?.matches(DocumentRef::new(&encode(metadata)?)?))
}

/// Returns the message of the error a call must give, and checks its kind.
fn fault<T>(result: Result<T>) -> String {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), crate::error::ErrorKind::Filter);
    error.message().to_owned()
}
