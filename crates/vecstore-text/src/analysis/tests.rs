use proptest::prelude::*;

use super::{Analyzer, Language, MAX_TERM_BYTES};

fn analyzer(name: &str) -> Analyzer {
    name.parse().unwrap()
}

fn terms(name: &str, text: &str) -> Vec<String> {
    analyzer(name).tokens(text).into_iter().map(|token| token.term).collect()
}

#[test]
fn names_come_back_as_they_were_given() {
    let languages = Language::ALL.map(|language| language.name().to_owned());
    let others =
        ["standard", "cjk", "code", "ngram", "ngram:2-4", "whitespace", "german:stem", "german:stop"];
    for name in languages.into_iter().chain(others.map(str::to_owned)) {
        assert_eq!(analyzer(&name).to_string(), name);
    }
}

#[test]
fn unknown_names_are_refused_by_name() {
    for name in
        ["", "klingon", "ngram:0-2", "ngram:3-2", "ngram:2-17", "english:both", "standard:stem", "Standard"]
    {
        let error = name.parse::<Analyzer>().unwrap_err().to_string();
        assert!(error.contains(&format!("got `{name}`")), "{error}");
    }
}

#[test]
fn standard_terms_are_words_in_lower_case_with_folded_letters() {
    assert_eq!(
        terms("standard", "The quick-brown Fox's 3.14 e-mail"),
        ["the", "quick", "brown", "fox", "s", "3", "14", "e", "mail"]
    );
    assert_eq!(
        terms(
            "standard",
            "Cr\u{E8}me BR\u{DB}L\u{C9}E Stra\u{DF}e \u{141}\u{D3}D\u{179} \u{C6}r\u{F8} \u{FB01}ne \u{FF21}\u{FF22}\u{FF23}"
        ),
        ["creme", "brulee", "strasse", "lodz", "aero", "fine", "abc"]
    );
    assert_eq!(terms("standard", "cafe\u{301} CAF\u{C9}"), ["cafe", "cafe"]);
    assert_eq!(
        terms(
            "standard",
            "\u{39F}\u{394}\u{3A5}\u{3A3}\u{3A3}\u{395}\u{3A5}\u{3A3} \u{39F}\u{3B4}\u{3C5}\u{3C3}\u{3C3}\u{3B5}\u{3CD}\u{3C2}"
        ),
        [
            "\u{3BF}\u{3B4}\u{3C5}\u{3C3}\u{3C3}\u{3B5}\u{3C5}\u{3C3}",
            "\u{3BF}\u{3B4}\u{3C5}\u{3C3}\u{3C3}\u{3B5}\u{3C5}\u{3C3}"
        ]
    );
    assert_eq!(
        terms(
            "standard",
            "\u{6771}\u{4EAC} \u{3072}\u{3089} \u{30AB}\u{30BF}\u{30AB}\u{30CA} \u{D55C}\u{AD6D}\u{C5B4}"
        ),
        [
            "\u{6771}",
            "\u{4EAC}",
            "\u{3072}",
            "\u{3089}",
            "\u{30AB}\u{30BF}\u{30AB}\u{30CA}",
            "\u{D55C}\u{AD6D}\u{C5B4}"
        ]
    );
    assert_eq!(
        terms("standard", "\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}"),
        ["\u{939}\u{93F}\u{928}\u{94D}\u{926}\u{940}"]
    );
}

#[test]
fn languages_stem_and_leave_out_stop_words() {
    assert_eq!(terms("english", "The runners aren't running"), ["runner", "run"]);
    assert_eq!(terms("english:stem", "The running"), ["the", "run"]);
    assert_eq!(terms("english:stop", "The running"), ["running"]);
    assert_eq!(terms("english", "the dog's bone"), ["dog", "bone"]);
    assert_eq!(terms("french", "L'eau des rivi\u{E8}res"), ["eau", "rivi"]);
    assert_eq!(terms("german", "Die H\u{E4}user der Stadt"), ["haus", "stadt"]);
    assert_eq!(terms("russian", "\u{43A}\u{43D}\u{438}\u{433}\u{438}"), ["\u{43A}\u{43D}\u{438}\u{433}"]);
    assert_eq!(terms("spanish", "los corredores"), ["corredor"]);
}

#[test]
fn every_language_has_stop_words_and_a_stemmer_that_does_something() {
    for language in Language::ALL {
        let stop_words = stop_words::lookup(language.row().1).unwrap();
        assert!(stop_words.len() > 20, "{language:?} {}", stop_words.len());
    }
    let samples = [
        ("arabic", "\u{627}\u{644}\u{643}\u{62A}\u{627}\u{628}"),
        ("danish", "b\u{F8}gerne"),
        ("dutch", "boeken"),
        ("english", "books"),
        ("finnish", "kirjoissa"),
        ("french", "livres"),
        ("german", "b\u{FC}cher"),
        ("greek", "\u{3B2}\u{3B9}\u{3B2}\u{3BB}\u{3AF}\u{3B1}"),
        ("hungarian", "k\u{F6}nyvek"),
        ("italian", "libri"),
        ("norwegian", "b\u{F8}kene"),
        ("portuguese", "livros"),
        ("romanian", "c\u{103}r\u{21B}ile"),
        ("russian", "\u{43A}\u{43D}\u{438}\u{433}\u{438}"),
        ("spanish", "libros"),
        ("swedish", "b\u{F6}ckerna"),
        ("tamil", "\u{BAA}\u{BC1}\u{BA4}\u{BCD}\u{BA4}\u{B95}\u{B99}\u{BCD}\u{B95}\u{BB3}\u{BCD}"),
        ("turkish", "kitaplar"),
    ];
    for (name, word) in samples {
        let stemmed = terms(&format!("{name}:stem"), word);
        assert_eq!(stemmed.len(), 1);
        assert_ne!(stemmed, terms("standard", word), "{name}");
    }
}

#[test]
fn positions_count_stop_words() {
    let tokens = analyzer("english").tokens("state of the art");
    let positions: Vec<(&str, u32)> =
        tokens.iter().map(|token| (token.term.as_str(), token.position)).collect();
    assert_eq!(positions, [("state", 0), ("art", 3)]);
}

#[test]
fn cjk_terms_are_pairs_of_neighbors() {
    assert_eq!(
        terms("cjk", "\u{6771}\u{4EAC}\u{90FD} a \u{672C} \u{30AB}\u{30CA}\u{D55C}\u{AD6D}"),
        [
            "\u{6771}\u{4EAC}",
            "\u{4EAC}\u{90FD}",
            "a",
            "\u{672C}",
            "\u{30AB}\u{30CA}",
            "\u{30CA}\u{D55C}",
            "\u{D55C}\u{AD6D}"
        ]
    );
    assert_eq!(
        terms("cjk", "abc\u{65E5}\u{672C}\u{8A9E}def"),
        ["abc", "\u{65E5}\u{672C}", "\u{672C}\u{8A9E}", "def"]
    );
}

#[test]
fn identifiers_are_found_whole_and_in_parts() {
    assert_eq!(terms("code", "parseHTTPResponse2"), ["parsehttpresponse2", "parse", "http", "response", "2"]);
    assert_eq!(
        terms("code", "snake_case::MAX_K __init__"),
        ["snake_case", "snake", "case", "max_k", "max", "k", "init"]
    );
    assert_eq!(terms("code", "x = vec![URL]; iPhone"), ["x", "vec", "url", "iphone", "i", "phone"]);
}

#[test]
fn ngrams_are_runs_of_characters() {
    assert_eq!(terms("ngram", "Gr\u{FC}\u{DF}e an"), ["gru", "rus", "uss", "sse", "an"]);
    assert_eq!(terms("ngram:1-2", "ab"), ["a", "ab", "b"]);
}

#[test]
fn whitespace_changes_nothing() {
    assert_eq!(terms("whitespace", " A-b  c\u{3000}D\n"), ["A-b", "c", "D"]);
}

#[test]
fn long_words_are_cut_at_a_character() {
    let long = "\u{E9}".repeat(400) + "x";
    for name in ["standard", "whitespace", "code", "english"] {
        let terms = terms(name, &long);
        assert!(terms[0].len() <= MAX_TERM_BYTES && terms[0].len() > MAX_TERM_BYTES - 4, "{name}");
    }
}

proptest! {
    #[test]
    fn terms_lie_in_order_within_the_text(text in "\\PC{0,40}", name in prop::sample::select(vec![
        "standard", "english", "turkish", "cjk", "code", "ngram:1-3", "whitespace", "tamil", "arabic", "greek",
    ])) {
        let mut last = 0;
        for token in analyzer(name).tokens(&text) {
            prop_assert!(!token.term.is_empty() && token.term.len() <= MAX_TERM_BYTES);
            prop_assert!(token.start < token.end && text.get(token.start..token.end).is_some());
            prop_assert!(token.position >= last);
            last = token.position;
        }
    }

    #[test]
    fn a_term_of_standard_is_its_own_term(text in "[a-zA-Z\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{148}0-9\u{391}-\u{3c9}\u{4e00}-\u{4e10} ]{0,40}") {
        for term in terms("standard", &text) {
            prop_assert_eq!(terms("standard", &term).concat(), term);
        }
    }
}

#[test]
fn prefixes_are_the_last_word_in_the_letters_of_the_index() {
    let split = |name: &str, text: &str| {
        let (before, prefix) = analyzer(name).split_prefix(text);
        (before.to_owned(), prefix)
    };
    assert_eq!(split("english", "E-MAI"), ("E-".to_owned(), "mai".to_owned()));
    assert_eq!(split("standard", "a."), ("a.".to_owned(), String::new()));
    assert_eq!(split("code", "a.parse_U"), ("a.".to_owned(), "parse_u".to_owned()));
    assert_eq!(split("whitespace", "A-b"), (String::new(), "A-b".to_owned()));
}
