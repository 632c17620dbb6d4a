//! The table of limits in `docs/security.md` says what the code does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the documentation and the sources are files")]

use std::path::Path;

/// A row that names a constant: what it says of it, and the constant's name and file.
struct Row<'a> {
    limit: &'a str,
    name: &'a str,
    file: &'a str,
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let table = page.split("## Limits").nth(1).unwrap().split("\n## ").next().unwrap();
    table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let &[_, _, limit, constant, _, _] = cells.as_slice() else { return None };
            let mut quoted = constant.split('`').skip(1).step_by(2);
            Some(Row { limit, name: quoted.next()?, file: quoted.next()? })
        })
        .collect()
}

/// Computes a constant from the text of its definition: numbers with `<<`, `-` or `/` between two of them, and casts.
fn value(definition: &str) -> u64 {
    let text = definition.replace(['(', ')', '_'], "").replace("u32::MAX", &u32::MAX.to_string());
    let words: Vec<&str> =
        text.split_whitespace().filter(|word| !matches!(*word, "as" | "usize" | "u64")).collect();
    let number = |word: &str| word.parse::<u64>().unwrap_or_else(|_| panic!("`{definition}`"));
    match words.as_slice() {
        [only] => number(only),
        [left, "<<", right] => number(left) << number(right),
        [left, "-", right] => number(left) - number(right),
        [left, "/", right] => number(left) / number(right),
        _ => panic!("cannot compute `{definition}`"),
    }
}

fn definition<'a>(source: &'a str, name: &str) -> &'a str {
    let start = source.find(&format!("const {name}:")).unwrap_or_else(|| panic!("no constant {name}"));
    source[start..].split_once('=').unwrap().1.split_once(';').unwrap().0.trim()
}

/// The ways in which the table writes a number.
fn spellings(value: u64) -> Vec<String> {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    let mut all = vec![groups.join(",")];
    for (shift, unit) in [(10, "KiB"), (20, "MiB"), (30, "GiB")] {
        if value >> shift << shift == value && value >> shift > 0 {
            all.push(format!("{} {unit}", value >> shift));
        }
    }
    if value.is_power_of_two() {
        all.push(format!("2^{}", value.trailing_zeros()));
    }
    all
}

#[test]
fn the_table_of_limits_says_what_the_code_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows = rows(&page);
    for row in &rows {
        let source = std::fs::read_to_string(root.join("crates").join(row.file)).unwrap();
        let value = value(definition(&source, row.name));
        let spellings = spellings(value);
        // As a number of its own, not as the end of a longer one.
        let says = |spelling: &String| {
            row.limit.match_indices(spelling.as_str()).any(|(at, _)| {
                !row.limit[..at].ends_with(|before: char| before.is_ascii_digit() || before == ',')
            })
        };
        assert!(spellings.iter().any(says), "{} is {value}, the table says: {}", row.name, row.limit);
    }
    assert!(rows.len() >= 30, "{}", rows.len());
    // Every public limit is in it.
    for file in
        ["vecstore/src/limits.rs", "vecstore/src/filter/limits.rs", "vecstore/src/metadata/document.rs"]
    {
        let source = std::fs::read_to_string(root.join("crates").join(file)).unwrap();
        for name in source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next()) {
            assert!(
                rows.iter().any(|row| row.name == name && row.file == file),
                "{name} is not in the table"
            );
        }
    }
}
