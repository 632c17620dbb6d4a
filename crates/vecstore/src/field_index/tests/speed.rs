//! Times on one thread, for the figures in the documentation:
//! `METADATA=packages.tsv cargo test --release -p vecstore --lib field_index::tests::speed -- --ignored --nocapture`,
//! with lines of name, section, priority, installed size, architecture and version.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Caps, write};
use crate::field_index::FieldIndex;
use crate::filter::{Filter, field};
use crate::metadata::{Metadata, encode};

fn best(rounds: usize, calls: u32, mut call: impl FnMut()) -> Duration {
    let start = Instant::now();
    call();
    // A few seconds for all rounds, however slow one call is.
    let calls =
        calls.min((Duration::from_millis(20).as_nanos() / start.elapsed().as_nanos().max(1)) as u32 + 1);
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed() / calls
    };
    (0..rounds).map(round).min().unwrap_or_default()
}

/// The packages, over and over until there are `rows`, with other names each time.
fn packages(lines: &str, rows: usize) -> Vec<Vec<u8>> {
    let document = |(n, line): (usize, &str)| {
        let parts: Vec<&str> = line.split('\t').collect();
        let [name, section, priority, size, architecture, version] = parts[..] else { panic!("{line}") };
        let round = n / lines.lines().count();
        let name = if round == 0 { name.to_owned() } else { format!("{name}-{round}") };
        let metadata = Metadata::new()
            .with("name", name)
            .with("section", section)
            .with("priority", priority)
            .with("installed_size", size.parse::<i64>().unwrap())
            .with("architecture", architecture)
            .with("version", version);
        encode(&metadata).unwrap()
    };
    lines.lines().cycle().take(rows).enumerate().map(document).collect()
}

fn measure(index: &FieldIndex<'_>, name: &str, filter: &Filter) {
    let matcher = filter.compile().unwrap();
    let calls = 200;
    let plan = || index.plan(&matcher).unwrap();
    let planned = best(15, calls, || _ = black_box(plan()));
    let counted = best(15, calls, || _ = black_box(plan().cardinality().unwrap()));
    let selected = best(15, calls / 10, || _ = black_box(plan().select().unwrap()));
    let filter = plan().row_filter().unwrap();
    let rows: Vec<u32> =
        (0..index.rows() as u32).map(|n| n.wrapping_mul(7_919) % index.rows() as u32).collect();
    let tested = best(5, 1, || {
        black_box(rows.iter().filter(|row| filter.matches(**row)).count());
    });
    let selection = plan().select().unwrap();
    let listed = best(5, 20, || {
        black_box(selection.rows.iter().fold(0u32, |sum, row| sum.wrapping_add(row)));
    });
    println!(
        "{name:44} {:>8} rows  exact {:5}  plan {planned:>9.2?}  count {counted:>9.2?}  select {selected:>9.2?}  \
         list {listed:>9.2?}  test of a row {:.1} ns",
        selection.cardinality(),
        selection.is_exact(),
        tested.as_nanos() as f64 / rows.len() as f64,
    );
}

#[test]
#[ignore = "prints times; needs a file of packages and a release build"]
fn times_on_packages() {
    let path = std::env::var("METADATA").unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test reads a file of its own")]
    let lines = std::fs::read_to_string(path).unwrap();
    for rows in [lines.lines().count(), 1_000_000] {
        let documents = packages(&lines, rows);
        let mut bytes = write(&documents, Caps::new(rows));
        let built = best(3, 1, || bytes = write(&documents, Caps::new(rows)));
        println!(
            "{rows} rows: {:.1} bytes a row (documents {:.1}), {:.0} rows/s",
            bytes.0.len() as f64 / rows as f64,
            documents.iter().map(Vec::len).sum::<usize>() as f64 / rows as f64,
            rows as f64 / built.as_secs_f64()
        );
        for left in ["name", "section", "priority", "installed_size", "architecture", "version"] {
            let only: Vec<Vec<u8>> = documents
                .iter()
                .map(|document| {
                    let mut metadata = crate::metadata::decode(document).unwrap();
                    let value = metadata.remove(left).unwrap();
                    encode(&Metadata::new().with(left, value)).unwrap()
                })
                .collect();
            let size = write(&only, Caps::new(rows)).0.len();
            println!("  {left:20} {:.1} bytes a row", size as f64 / rows as f64);
        }
        let opened = best(15, 1_000, || _ = black_box(bytes.index(rows).unwrap()));
        println!("  open {opened:?}");
        let index = bytes.index(rows).unwrap();
        for (name, filter) in [
            ("name =", field("name").eq("bash")),
            ("version = (hundreds)", field("version").eq("12.2.0-13cross1")),
            ("section = gnome (1 %)", field("section").eq("gnome")),
            ("section = libs (10 %)", field("section").eq("libs")),
            ("section in 5", field("section").is_in(["libs", "doc", "gnome", "kde", "x11"])),
            ("architecture = (50 %)", field("architecture").eq("amd64")),
            ("architecture !=", field("architecture").ne("amd64")),
            ("installed_size = ", field("installed_size").eq(1_234)),
            ("installed_size <= 8", field("installed_size").lte(8)),
            ("installed_size < 150 (50 %)", field("installed_size").lt(150)),
            ("installed_size between 100 and 110", field("installed_size").between(100, 110)),
            (
                "section = libs and size < 150 and amd64",
                field("section").eq("libs")
                    & field("installed_size").lt(150)
                    & field("architecture").eq("amd64"),
            ),
            (
                "section = gnome and size < 150 and amd64",
                field("section").eq("gnome")
                    & field("installed_size").lt(150)
                    & field("architecture").eq("amd64"),
            ),
            (
                "priority = optional and size < 150 and amd64",
                field("priority").eq("optional")
                    & field("installed_size").lt(150)
                    & field("architecture").eq("amd64"),
            ),
            ("section = libs or section = doc", field("section").eq("libs") | field("section").eq("doc")),
            ("name starts with lib", field("name").starts_with("lib")),
            ("section regex", field("section").regex("^lib")),
            ("name like %python%", field("name").like("%python%")),
            ("name regex", field("name").regex("py.*3")),
        ] {
            measure(&index, name, &filter);
        }
    }
}
