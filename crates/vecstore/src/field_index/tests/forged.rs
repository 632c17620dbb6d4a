use proptest::collection::vec;
use proptest::prelude::*;

use super::{Bytes, Caps, encoded, write};
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::filter::tests::strategies::{document, filter};

/// Asks everything; what is wrong with the bytes may show or not, but only as an error.
fn ask(bytes: &Bytes, rows: usize, filters: &[Filter]) -> Result<(), TestCaseError> {
    let Ok(index) = bytes.index(rows) else { return Ok(()) };
    let mut errors = vec![index.verify().err()];
    for filter in filters {
        let matcher = filter.compile()?;
        let Ok(plan) = index.plan(&matcher).map_err(|error| errors.push(Some(error))) else { continue };
        errors.push(plan.cardinality().err());
        match plan.select() {
            Ok(selection) => {
                prop_assert!(
                    selection.rows.iter().chain(selection.undecided.iter()).all(|row| (row as usize) < rows)
                );
                prop_assert_eq!(selection.rows.len(), selection.rows.iter().count());
                prop_assert!(selection.rows.iter().collect::<Vec<_>>().is_sorted_by(|a, b| a < b));
            }
            Err(error) => errors.push(Some(error)),
        }
        match plan.row_filter() {
            Ok(filter) => (0..rows as u32 + 70).for_each(|row| _ = filter.matches(row)),
            Err(error) => errors.push(Some(error)),
        }
    }
    for error in errors.into_iter().flatten() {
        prop_assert_eq!(error.kind(), ErrorKind::Corrupted, "{}", error);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn forged_sections_are_refused_or_harmless(
        documents in vec(document(), 1..80),
        filters in vec(filter(), 6),
        places in vec((any::<prop::sample::Index>(), any::<u8>(), 0usize..4), 60),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows = documents.len();
        let documents = encoded(&documents);
        let original = write(&documents, Caps::new(rows));
        for (n, (place, value, many)) in places.iter().enumerate() {
            let mut forged = original.0.clone();
            // Half of them in the directory, where most can go wrong.
            let start = if n % 2 == 0 { 0 } else { forged.len() * 3 / 4 };
            let place = start + place.index(forged.len() - start);
            forged.iter_mut().skip(place).take(1 << many).for_each(|byte| *byte = *value);
            ask(&Bytes(forged), rows, &filters)?;
        }
        let cut = cut.index(original.0.len());
        ask(&Bytes(original.0[..cut].to_vec()), rows, &filters)?;
        ask(&Bytes(original.0[cut..].to_vec()), rows, &filters)?;
        ask(&original, rows + 1, &filters)?;
    }

    #[test]
    fn noise_is_refused(noise in vec(any::<u8>(), 0..400), filters in vec(filter(), 2)) {
        ask(&Bytes(noise), 10, &filters)?;
    }
}
