use proptest::prelude::*;
use vecstore_eval::{
    check_citations, context_utilisation, exact_match, ground, quoted_spans, rouge_l, rouge_lsum, rouge_n,
    sentence_bleu, sentence_chrf, sentences, token_f1,
};

#[test]
fn answers_match_after_normalisation() {
    assert!(exact_match("The  Eiffel-Tower!", "eiffeltower"));
    assert!(!exact_match("two", "three"));
    assert!(exact_match("\u{1f600}a", "\u{1f600}"));
    assert_eq!(token_f1("", "the"), 1.0);
    assert_eq!(token_f1("", "word"), 0.0);
}

#[test]
fn a_number_that_no_context_has_is_not_supported() {
    let contexts = ["The bridge is 1,280 metres long and opened in 1937."];
    let grounding = ground("The bridge is 1280 metres long. The bridge opened in 1938.", &contexts, 0.6);
    let supported: Vec<bool> = grounding.sentences.iter().map(|sentence| sentence.supported).collect();
    assert_eq!(supported, [true, false]);
    assert_eq!(grounding.sentences[1].missing_numbers, ["1938"]);
    assert_eq!(context_utilisation(&grounding, 1), [0.5]);
}

#[test]
fn the_number_of_a_citation_is_no_claim() {
    let grounding =
        ground("Lions live in prides [7]. Tigers [1, 9] swim.", &["Lions live in prides. Tigers swim."], 0.6);
    assert_eq!(grounding.score(), Some(1.0));
    assert_eq!(grounding.ngram_support, 1.0);
}

#[test]
fn without_contexts_nothing_is_supported_and_without_sentences_there_is_no_score() {
    assert_eq!(ground("Yes, it is.", &[], 0.5).score(), Some(0.0));
    assert_eq!(ground("  ...  ", &["x"], 0.5).score(), None);
}

#[test]
fn citations_of_contexts_that_do_not_exist_are_wrong() {
    let check = check_citations("Lions live in prides [0][7].", &["Lions live in prides."], 0.6);
    assert_eq!(check.precision(), Some(0.0));
    assert_eq!(check.recall(), Some(0.0));
    assert_eq!(check_citations("No markers [sic] here.", &["x"], 0.6).precision(), None);
}

#[test]
fn contexts_that_support_only_together_are_both_right() {
    let contexts = ["Mercury orbits Sun.", "Venus orbits quickly.", "Whales sing."];
    let check = check_citations("Mercury and Venus orbits [1, 2, 3].", &contexts, 0.9);
    let correct: Vec<bool> = check.citations.iter().map(|citation| citation.correct).collect();
    assert_eq!(correct, [true, true, false]);
}

#[test]
fn quotations_must_be_word_for_word() {
    let answer = "It says \u{201c}errors should never pass silently\u{201d} and \"errors pass loudly now\".";
    let spans = quoted_spans(answer, &["Errors should never\npass silently."], 3);
    let contexts: Vec<Option<usize>> = spans.iter().map(|span| span.context).collect();
    assert_eq!(contexts, [Some(0), None]);
}

proptest! {
    #[test]
    fn texts_of_any_kind_have_finite_scores_and_valid_ranges(a in "\\PC{0,60}", b in "\\PC{0,60}") {
        for score in [
            token_f1(&a, &b),
            rouge_n(&a, &b, 2).f1,
            rouge_l(&a, &b).f1,
            rouge_lsum(&a, &b).f1,
            sentence_bleu(&a, &[&b]),
            sentence_chrf(&a, &[&b], 2),
            ground(&a, &[&b], 0.5).ngram_support,
        ] {
            prop_assert!((0.0..=1.0 + 1e-9).contains(&score), "{score}");
        }
        for range in sentences(&a) {
            prop_assert!(!a[range].trim().is_empty());
        }
        for span in quoted_spans(&a, &[&b], 0) {
            prop_assert!(a.get(span.range).is_some());
        }
        for citation in check_citations(&a, &[&b], 0.5).citations {
            prop_assert!(a[citation.range].starts_with('['));
        }
    }

    #[test]
    fn markers_and_marks_anywhere_do_not_panic(text in "[a.!?\"\\[\\]0-9, ^\u{201c}\u{201d}\u{3002}\n]{0,40}") {
        let _ = sentences(&text);
        let _ = quoted_spans(&text, &[&text], 1);
        let _ = check_citations(&text, &[&text], 0.5);
    }
}
