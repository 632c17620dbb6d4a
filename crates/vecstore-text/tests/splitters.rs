//! The promises that every splitter makes, on text of every kind.

use std::num::NonZeroUsize;
use std::sync::Arc;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;
use vecstore_text::split::{
    Bytes, Chars, Chunks, CodeSplitter, Encoding, FieldValue, HtmlSplitter, JsonSplitter, Keep, Language,
    Limits, MarkdownSplitter, Recursive, SemanticOptions, SemanticSplitter, SentenceSplitter, Sizer,
    SplitError, Splitter, Threshold, TokenSplitter, char_ranges, split_many,
};

/// Text of letters, marks, emoji, line ends and what is special to one splitter or another.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-z]{1,8} ",
        3 => "[ \\t]{1,3}",
        3 => "(\n|\r\n|\n\n|\n\n\n)",
        2 => "[.!?:;,]{1,2} ?",
        2 => "[A-Z][a-z]{0,6}[.] ",
        2 => "(# |## |- |1[.] |> |```\n|[|]a[|]b[|]\n[|]-[|]-[|]\n|    )",
        2 => "(</?(div|p|h1|b|script|li|ul)>|<!--|-->|&amp;|<a href=\"x\">)",
        2 => "(def f\\(x\\):\n    |class C:\n|fn f\\(\\) [{]\n|[}]\n|// c\n|if x:|return 1;|\"\"\")",
        2 => "[\u{4e00}-\u{4e20}\u{3042}-\u{3050}\u{3002}\u{ff01}]{1,6}",
        1 => "[\u{e01}-\u{e10}][\u{e31}\u{e34}\u{e33}\u{e49}]{0,3}",
        1 => "\u{1f1e6}{1,5}",
        2 => "(\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}|\u{1f1e6}\u{1f1f9}|e\u{301}|\u{915}\u{94d}\u{937}|\u{1f600}|\u{301})",
        1 => "\\PC{1,5}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The units that chunks are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Chars,
    Bytes,
    Tokens(Encoding),
    /// A text measures less than its parts together.
    Words,
    /// A text measures more than its parts together.
    Excess,
}

impl Unit {
    fn size(self, text: &str) -> usize {
        self.sizer().size(text).expect("counting does not fail")
    }

    fn sizer(self) -> Arc<dyn Sizer> {
        match self {
            Self::Chars => Arc::new(Chars),
            Self::Bytes => Arc::new(Bytes),
            Self::Tokens(encoding) => Arc::new(encoding),
            Self::Words => Arc::new(|text: &str| Ok(text.split_whitespace().count() * 2)),
            Self::Excess => Arc::new(|text: &str| Ok(text.chars().count().saturating_sub(2) * 2)),
        }
    }
}

fn units() -> impl Strategy<Value = Unit> {
    prop_oneof![
        3 => Just(Unit::Chars),
        1 => Just(Unit::Bytes),
        1 => Just(Unit::Tokens(Encoding::Cl100k)),
        1 => Just(Unit::Tokens(Encoding::O200k)),
        1 => Just(Unit::Words),
        1 => Just(Unit::Excess),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1..60_usize)
        .prop_flat_map(|size| (Just(size), 0..size))
        .prop_map(|(size, overlap)| Limits::new(size, overlap).expect("an overlap below the size"))
}

/// What a splitter may leave out besides white space at the ends of chunks.
#[derive(Clone, Copy, PartialEq)]
enum Loses {
    Nothing,
    Separators,
    Invisible,
}

fn check(text: &str, chunks: &Chunks, limits: Limits, unit: Unit, loses: Loses) -> Result<(), TestCaseError> {
    for pair in chunks.ranges().windows(2) {
        prop_assert!(pair[0].start < pair[1].start && pair[0].end < pair[1].end, "{pair:?}");
    }
    check_repeating(text, chunks, limits, unit, loses)
}

/// As `check`, but a chunk may lie in the previous one, as it may in LangChain.
fn check_repeating(
    text: &str,
    chunks: &Chunks,
    limits: Limits,
    unit: Unit,
    loses: Loses,
) -> Result<(), TestCaseError> {
    let mut covered = 0;
    let mut previous: Option<std::ops::Range<usize>> = None;
    for range in chunks.ranges() {
        // Slicing fails unless both ends are between characters.
        let chunk = text.get(range.clone()).unwrap_or_default();
        prop_assert!(!chunk.is_empty(), "{range:?}");
        let size = unit.size(chunk);
        prop_assert!(
            size <= limits.chunk_size() || chunk.chars().count() == 1,
            "{chunk:?} measures {size} of {}",
            limits.chunk_size()
        );
        if let Some(previous) = previous {
            prop_assert!(
                previous.start <= range.start && previous.end <= range.end,
                "{previous:?} {range:?}"
            );
            if range.start < previous.end {
                let shared = unit.size(&text[range.start..previous.end]);
                prop_assert!(
                    shared <= limits.chunk_overlap(),
                    "{shared} shared of {}",
                    limits.chunk_overlap()
                );
            }
        }
        if loses == Loses::Nothing && range.start > covered {
            let lost = &text[covered..range.start];
            prop_assert!(
                lost.trim().trim_matches(['\u{1c}', '\u{1d}', '\u{1e}', '\u{1f}']).trim().is_empty(),
                "lost {lost:?}"
            );
        }
        covered = range.end;
        previous = Some(range.clone());
    }
    if loses == Loses::Nothing {
        let lost: Vec<char> = text[covered..]
            .chars()
            .filter(|c| !c.is_whitespace() && !('\u{1c}'..='\u{1f}').contains(c))
            .collect();
        prop_assert!(lost.is_empty(), "lost {lost:?} at the end");
    }
    let chars: Vec<char> = text.chars().collect();
    for (range, chunk) in char_ranges(text, chunks.ranges()).into_iter().zip(chunks.texts(text)) {
        prop_assert_eq!(chars[range].iter().collect::<String>(), chunk);
    }
    Ok(())
}

/// No chunk ends inside a grapheme cluster, unless the cluster alone is too large.
fn check_graphemes(text: &str, chunks: &Chunks, limits: Limits, unit: Unit) -> Result<(), TestCaseError> {
    for (at, cluster) in text.grapheme_indices(true) {
        if unit.size(cluster) > limits.chunk_size() {
            continue;
        }
        for range in chunks.ranges() {
            let inside = |position: usize| position > at && position < at + cluster.len();
            prop_assert!(!inside(range.start) && !inside(range.end), "{cluster:?} is cut by {range:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn recursive_keeps_its_promises(
        text in text(), limits in limits(), unit in units(), strip: bool, graphemes: bool,
        keep in prop_oneof![Just(Keep::Start), Just(Keep::End), Just(Keep::Drop)],
    ) {
        let splitter = Recursive::new(limits).sizer(unit.sizer()).keep(keep).strip(strip).graphemes(graphemes);
        let chunks = splitter.split(&text).unwrap();
        let loses = if keep == Keep::Drop { Loses::Separators } else { Loses::Nothing };
        check_repeating(&text, &chunks, limits, unit, loses)?;
        if graphemes {
            check_graphemes(&text, &chunks, limits, unit)?;
        }
        let patterns = Recursive::new(limits).sizer(unit.sizer()).patterns(&[r"(?<=[.!?])\s+", r"\s+"]).unwrap();
        check_repeating(&text, &patterns.split(&text).unwrap(), limits, unit, Loses::Nothing)?;
    }

    #[test]
    fn tokens_keep_their_promises(text in text(), limits in limits(), graphemes: bool) {
        for encoding in Encoding::ALL {
            let chunks = TokenSplitter::new(limits, encoding).graphemes(graphemes).split(&text).unwrap();
            check(&text, &chunks, limits, Unit::Tokens(encoding), Loses::Nothing)?;
            if graphemes {
                check_graphemes(&text, &chunks, limits, Unit::Tokens(encoding))?;
            }
            let mut covered = 0;
            for range in chunks.ranges() {
                prop_assert!(range.start <= covered, "white space is kept");
                covered = range.end;
            }
            prop_assert_eq!(covered, text.len());
        }
    }

    #[test]
    fn sentences_keep_their_promises(text in text(), limits in limits(), unit in units()) {
        let chunks = SentenceSplitter::new(limits).sizer(unit.sizer()).split(&text).unwrap();
        check(&text, &chunks, limits, unit, Loses::Nothing)?;
        check_graphemes(&text, &chunks, limits, unit)?;
    }

    #[test]
    fn markdown_keeps_its_promises(text in text(), limits in limits(), unit in units()) {
        let chunks = MarkdownSplitter::new(limits).sizer(unit.sizer()).split(&text).unwrap();
        check(&text, &chunks, limits, unit, Loses::Nothing)?;
        check_graphemes(&text, &chunks, limits, unit)?;
    }

    #[test]
    fn code_keeps_its_promises(text in text(), limits in limits(), unit in units()) {
        let languages = [
            Language::Python, Language::Rust, Language::Cpp, Language::TypeScript, Language::Java, Language::Go,
            Language::C, Language::JavaScript, Language::Ruby, Language::Sql, Language::Any,
        ];
        for language in languages {
            let chunks = CodeSplitter::new(limits, language).sizer(unit.sizer()).split(&text).unwrap();
            check(&text, &chunks, limits, unit, Loses::Nothing)?;
            check_graphemes(&text, &chunks, limits, unit)?;
        }
    }

    #[test]
    fn html_keeps_its_promises(text in text(), limits in limits(), unit in units()) {
        let chunks = HtmlSplitter::new(limits).sizer(unit.sizer()).split(&text).unwrap();
        check(&text, &chunks, limits, unit, Loses::Invisible)?;
        check_graphemes(&text, &chunks, limits, unit)?;
    }

    #[test]
    fn json_keeps_its_promises(value in json(), limits in limits(), unit in units(), pretty: bool) {
        let text = if pretty { value.replace(',', " ,\n ").replace('[', "[ ") } else { value };
        let chunks = JsonSplitter::new(limits).sizer(unit.sizer()).split(&text).unwrap();
        check(&text, &chunks, limits, unit, Loses::Nothing)?;
        check_graphemes(&text, &chunks, limits, unit)?;
    }

    #[test]
    fn json_never_panics(text in "[\\[\\]{}\":,0-9a-z\\\\ .-]{0,40}", limits in limits()) {
        if let Ok(chunks) = JsonSplitter::new(limits).split(&text) {
            check(&text, &chunks, limits, Unit::Chars, Loses::Nothing)?;
        }
    }

    #[test]
    fn semantic_loses_nothing(
        text in text(), limits in limits(), unit in units(), least in 0..60_usize, seed in 0..100_u32,
        name in prop_oneof![
            Just("absolute"), Just("percentile"), Just("standard_deviation"), Just("interquartile"), Just("gradient"),
        ],
    ) {
        let options = SemanticOptions::new(limits.chunk_size(), least.min(limits.chunk_size())).unwrap()
            .threshold(Threshold::parse(name, None).unwrap()).unwrap()
            .batch(3).buffer(seed as usize % 3).sizer(unit.sizer());
        let embed = move |texts: &[&str]| Ok(texts.iter().map(|text| {
            let hash = text.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
            vec![(hash % 7) as f32 - 3.0, (hash % 5) as f32 - 2.0, (hash % 3) as f32]
        }).collect());
        let chunks = SemanticSplitter::new(options, embed).split(&text).unwrap();
        let none = Limits::new(limits.chunk_size(), 0).unwrap();
        check(&text, &chunks, none, unit, Loses::Nothing)?;
        check_graphemes(&text, &chunks, none, unit)?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn many_texts_split_as_one_does(texts in prop::collection::vec(text(), 4..9), limits in limits()) {
        // Large enough for threads to be used.
        let texts: Vec<String> = texts.iter().map(|text| text.repeat(300)).collect();
        let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
        let splitter = SentenceSplitter::new(limits);
        let together = split_many(&splitter, &borrowed, NonZeroUsize::new(3)).unwrap();
        let alone: Vec<Chunks> = borrowed.iter().map(|text| splitter.split(text).unwrap()).collect();
        prop_assert_eq!(together, alone);
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,3}([.][0-9]{1,3})?(e[+-]?[0-9])?",
        "\"[a-z \u{e9}\u{4e2d}]{0,20}(\\\\n|\\\\u00e9)?\"",
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(("[a-z/~]{1,5}", inner), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

#[test]
fn the_first_error_of_many_texts_is_the_one_that_is_returned() {
    let good = format!("[{}]", vec!["\"a long enough string\""; 20_000].join(","));
    let texts = [good.as_str(), "[1,", good.as_str(), "{", good.as_str()];
    let error = split_many(&JsonSplitter::new(Limits::new(100, 0).unwrap()), &texts, NonZeroUsize::new(2))
        .unwrap_err();
    assert_eq!(error.to_string(), "text: expected a value at byte 3 of the JSON, got the end of the text");
}

#[test]
fn limits_that_cannot_be_kept_are_refused() {
    let message = |size, overlap| Limits::new(size, overlap).unwrap_err().to_string();
    assert_eq!(message(0, 0), "chunk_size: expected at least 1, got 0");
    assert_eq!(message(5, 5), "chunk_overlap: expected less than chunk_size 5, got 5");
}

#[test]
fn the_failure_of_a_sizer_reaches_the_caller() {
    let sizer = |text: &str| match text.len() {
        0..6 => Ok(1),
        length => Err(SplitError::callback("the sizer failed", format!("{length} bytes").into())),
    };
    let splitter = SentenceSplitter::new(Limits::new(2, 0).unwrap()).sizer(Arc::new(sizer));
    let error = splitter.split("One. Two. Three.").unwrap_err();
    assert_eq!(error.into_source().unwrap().to_string(), "6 bytes");
}

#[test]
fn a_character_larger_than_a_chunk_is_a_chunk() {
    let limits = Limits::new(2, 0).unwrap();
    let chunks = Recursive::new(limits).sizer(Arc::new(Bytes)).split("a\u{1f600}b").unwrap();
    assert_eq!(chunks.ranges(), [0..1, 1..5, 5..6]);
    let chunks = TokenSplitter::new(Limits::new(1, 0).unwrap(), Encoding::Cl100k).split("\u{1f9ec}").unwrap();
    assert_eq!(chunks.ranges().first(), Some(&(0..4)));
}

#[test]
fn clusters_that_fit_are_whole_where_tokens_cross_them() {
    // A token of o200k ends inside the second cluster.
    let text =
        "\u{e19}\u{e49}\u{e33}\u{e43}\u{e2b}\u{e49}\u{e17}\u{e35}\u{e48}\u{e19}\u{e35}\u{e48}".repeat(3);
    for size in 1..6 {
        let limits = Limits::new(size, size / 2).unwrap();
        let chunks = TokenSplitter::new(limits, Encoding::O200k).graphemes(true).split(&text).unwrap();
        check_graphemes(&text, &chunks, limits, Unit::Tokens(Encoding::O200k)).unwrap();
    }
}

#[test]
fn marks_behind_tags_and_tokens_stay_with_them() {
    let text = "<p>one</p>\u{301}two<b>\u{301}</b>";
    let code = "x = \"a\"\u{301}\ny = [1,\u{301} 2]\n";
    for size in 2..12 {
        let limits = Limits::new(size, 0).unwrap();
        let chunks = HtmlSplitter::new(limits).split(text).unwrap();
        check_graphemes(text, &chunks, limits, Unit::Chars).unwrap();
        for language in [Language::Python, Language::JavaScript, Language::Cpp, Language::Any] {
            let chunks = CodeSplitter::new(limits, language).split(code).unwrap();
            check_graphemes(code, &chunks, limits, Unit::Chars).unwrap();
        }
    }
}

#[test]
fn white_space_that_is_a_token_makes_no_chunk_larger() {
    let text = "\u{85}\u{3000}\u{fe0f}";
    for language in [Language::JavaScript, Language::Tsx, Language::Python, Language::Any] {
        let chunks = CodeSplitter::new(Limits::new(1, 0).unwrap(), language).split(text).unwrap();
        assert_eq!(chunks.texts(text).collect::<Vec<_>>(), ["\u{fe0f}"], "{language:?}");
    }
}

#[test]
fn what_a_page_shows_is_kept() {
    let limits = Limits::new(1000, 0).unwrap();
    let shown = |text: &str| {
        let chunks = HtmlSplitter::new(limits).split(text).unwrap();
        let of = |index: usize| chunks.context(index).first().map(|field| field.value.clone());
        (0..chunks.len()).filter_map(of).collect::<Vec<_>>()
    };
    let text = |text: &str| vec![FieldValue::Text(text.to_owned())];
    let page =
        "<head><title>A <b> & B</title><style>x</style></head><noscript><p>No script</p></noscript>rest";
    assert_eq!(shown(page), [text("A <b> & B"), text("No script\nrest")].concat());
    assert_eq!(shown("<noscript>not ended <p>rest"), text("not ended\nrest"));
    assert_eq!(shown("<title>not ended <p>rest"), text("not ended\nrest"));
    assert_eq!(shown("<svg><text>drawn</text></svg>a <svg>not ended"), text("a not ended"));
    assert_eq!(shown("a<script>not ended"), text("a"));
}

#[test]
fn a_heading_ends_where_the_next_one_starts() {
    let chunks = HtmlSplitter::new(Limits::new(20, 0).unwrap()).split("<h1>One<h2>Two</h2>text").unwrap();
    let path: Vec<_> = chunks.context(chunks.len() - 1).iter().map(|field| field.value.clone()).collect();
    assert_eq!(path[1], FieldValue::Texts(vec!["One".into(), "Two".into()]));
}

#[test]
fn titles_and_names_told_of_chunks_have_a_bound() {
    let limits = Limits::new(100, 0).unwrap();
    let long = "t".repeat(5000);
    let told = |chunks: &Chunks| format!("{:?}", chunks.context(chunks.len() - 1)).len();
    let html = format!("<h1>{long}</h1><p>text");
    assert!(told(&HtmlSplitter::new(limits).split(&html).unwrap()) < 1500);
    let html = "<h1>".to_owned() + &"<b>t</b>".repeat(200) + "</h1><p>text";
    let chunks = HtmlSplitter::new(limits).split(&html).unwrap();
    assert_eq!(chunks.context(chunks.len() - 1)[1].value, FieldValue::Texts(vec!["t".repeat(128)]));
    let markdown = format!("# {long}\n\n## x\n\ntext\n");
    assert!(told(&MarkdownSplitter::new(limits).split(&markdown).unwrap()) < 1500);
    let code = "class A {".repeat(200) + "int x;" + &"}".repeat(200);
    let chunks = CodeSplitter::new(Limits::new(10, 0).unwrap(), Language::Java).split(&code).unwrap();
    let names =
        (0..chunks.len()).map(|index| format!("{:?}", chunks.context(index)).matches("\"A\"").count());
    assert_eq!(names.max(), Some(32));
}

#[test]
fn deep_nesting_is_no_danger() {
    let limits = Limits::new(50, 10).unwrap();
    let depth = 200_000;
    let json = "[".repeat(depth) + &"]".repeat(depth);
    assert!(JsonSplitter::new(limits).split(&json).unwrap().len() >= 2 * depth / 50);
    let html = "<div>".repeat(depth) + "text" + &"</div>".repeat(depth);
    assert_eq!(HtmlSplitter::new(limits).split(&html).unwrap().len(), 1);
    let quotes = "> ".repeat(20_000) + "text";
    assert!(!MarkdownSplitter::new(limits).split(&quotes).unwrap().is_empty());
    let code = "(".repeat(100_000);
    for language in [Language::Python, Language::Rust, Language::JavaScript, Language::Cpp] {
        assert!(!CodeSplitter::new(limits, language).split(&code).unwrap().is_empty());
    }
}
