//! Listing in the order of a value.

use vecstore::{ErrorKind, Metadata, OrderBy, ScrollRequest, VecStore, field};

use super::support::{fill, store};

fn pages(store: &VecStore, request: &ScrollRequest, mut between: impl FnMut()) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.scroll(&request.clone().after(cursor)).unwrap();
        ids.extend(page.records.into_iter().map(|record| record.id));
        cursor = page.cursor;
        if cursor.is_none() {
            return ids;
        }
        between();
    }
}

#[test]
fn ties_are_in_order_of_id_also_where_they_are_many() {
    let store = store();
    let kind = |n: usize| n * 7 % 3;
    fill(&store, 0..8_000, |n| match kind(n) {
        2 => Metadata::new(),
        kind => Metadata::new().with("kind", kind as i64),
    });
    store.seal().unwrap();
    fill(&store, 8_000..9_000, |n| Metadata::new().with("kind", kind(n) as i64));
    let request = ScrollRequest::new().order_by(OrderBy::descending("kind")).limit(700).vectors(false);
    let mut expected: Vec<(usize, usize)> = (0..9_000)
        .map(|n| match kind(n) {
            2 if n < 8_000 => (3, n),
            kind => (2 - kind, n),
        })
        .collect();
    expected.sort_unstable();
    let expected: Vec<String> = expected.into_iter().map(|(_, n)| format!("id-{n:06}")).collect();
    assert_eq!(pages(&store, &request, || {}), expected);
    let few = request.filter(field("kind").eq(1)).limit(10);
    assert_eq!(pages(&store, &few, || {}).len(), (0..9_000).filter(|&n| kind(n) == 1).count());
}

#[test]
fn a_cursor_goes_on_where_it_was_whatever_is_written_meanwhile() {
    let store = store();
    fill(&store, 0..2_000, |n| Metadata::new().with("n", (n / 2) as i64));
    store.seal().unwrap();
    let request = ScrollRequest::new().order_by(OrderBy::ascending("n")).limit(50);
    let mut round = 0;
    let ids = pages(&store, &request, || {
        round += 1;
        // The record that the cursor is at goes, others come before and behind it, and the files change.
        store.delete(&format!("id-{:06}", round * 50 - 1)).unwrap();
        fill(&store, 10_000 + round..10_001 + round, |_| Metadata::new().with("n", -1));
        fill(&store, 20_000 + round..20_001 + round, |_| Metadata::new().with("n", 5_000));
        match round % 4 {
            0 => store.seal().unwrap(),
            1 => _ = store.compact().unwrap(),
            _ => {}
        }
    });
    let old: Vec<&String> = ids.iter().filter(|id| id.as_str() < "id-002000").collect();
    let expected: Vec<String> = (0..2_000).map(|n| format!("id-{n:06}")).collect();
    assert_eq!(old, expected.iter().collect::<Vec<_>>(), "each that was there is listed once");
    assert!(ids.iter().all(|id| !id.starts_with("id-01")), "what comes before the cursor is not");
    assert_eq!(ids.iter().filter(|id| id.starts_with("id-02")).count(), round);
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let store = store();
    fill(&store, 0..100, |n| Metadata::new().with("n", n as i64).with("m", n as i64));
    let by = |order: OrderBy| ScrollRequest::new().order_by(order).limit(10);
    let cursor = store.scroll(&by(OrderBy::ascending("n"))).unwrap().cursor.unwrap();
    assert!(store.scroll(&by(OrderBy::ascending("n")).after(cursor.clone())).is_ok());
    let mut others =
        vec![(OrderBy::descending("n"), cursor.clone()), (OrderBy::ascending("m"), cursor.clone())];
    for odd in [
        "",
        "id-000001",
        "0",
        "zz",
        "01",
        "\u{e9}\u{e9}",
        &cursor[..cursor.len() - 2],
        &format!("{cursor}00"),
    ] {
        others.push((OrderBy::ascending("n"), odd.to_owned()));
    }
    for (order, cursor) in others {
        let error = store.scroll(&by(order).after(cursor.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{cursor}");
    }
    for path in ["", "-", "$n"] {
        assert_eq!(path.parse::<OrderBy>().unwrap_err().kind(), ErrorKind::InvalidInput, "{path}");
        let request = by(OrderBy::ascending(path.trim_start_matches('-')));
        assert_eq!(store.scroll(&request).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!("--n".parse::<OrderBy>().unwrap(), OrderBy::descending("-n"));
}

#[test]
fn deleted_records_are_listed_in_order_too() {
    let store = store();
    fill(&store, 0..50, |n| Metadata::new().with("n", -(n as i64)));
    store.seal().unwrap();
    for n in [3, 30] {
        assert!(store.soft_delete(&format!("id-{n:06}")).unwrap());
    }
    let request = ScrollRequest::new().deleted().order_by(OrderBy::ascending("n"));
    assert_eq!(pages(&store, &request, || {}), ["id-000030", "id-000003"]);
}
