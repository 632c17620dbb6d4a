//! Words whose full stop does not end a sentence.

/// Never at the end of a sentence, in lower case.
static ALWAYS: &[&str] = &[
    "abb", "adj", "adm", "adv", "allg", "anm", "approx", "aufl", "bd", "bspw", "bzgl", "bzw", "ca", "capt",
    "cf", "cfr", "d.h", "dr", "dra", "e.g", "eds", "evtl", "ggf", "gov", "hrsg", "i.e", "ibid", "insb", "lt",
    "m.e", "mgr", "mlle", "mme", "mr", "mrs", "msgr", "mx", "o.\u{e4}", "op.cit", "p.ej", "p.ex", "prof",
    "rev", "s.a", "s.o", "s.u", "sgt", "sog", "sra", "srta", "st", "u.a", "u.\u{e4}", "v.a", "vgl", "viz",
    "vs", "z.b", "z.t", "zzgl",
];

/// At the end of a sentence only if what follows looks like a new one.
static OFTEN: &[&str] = &[
    "a.m", "al", "apr", "assn", "aug", "ave", "blvd", "bros", "co", "corp", "dec", "dept", "esq", "etc",
    "feb", "gen", "hon", "inc", "jan", "jr", "jul", "jun", "llc", "ltd", "maj", "mar", "ms", "mt", "nov",
    "oct", "p.m", "ph.d", "rd", "resp", "sen", "sep", "sept", "sr", "univ", "usw",
];

/// An abbreviation only in front of a number: "No. 5".
static BEFORE_NUMBERS: &[&str] = &[
    "abs", "art", "bl", "cap", "ch", "chap", "col", "ed", "eq", "fig", "figs", "kap", "max", "min", "n",
    "no", "nos", "nr", "n\u{fa}m", "op", "p", "p\u{e1}g", "para", "pp", "s", "sec", "sect", "tab", "v",
    "ver", "vol", "vols",
];

/// Words that begin sentences.
static STARTERS: &[&str] = &[
    "a", "after", "all", "also", "an", "and", "any", "as", "at", "both", "but", "by", "each", "for", "from",
    "he", "her", "here", "his", "how", "however", "i", "if", "in", "it", "its", "many", "most", "my", "no",
    "not", "on", "once", "one", "or", "our", "she", "since", "so", "some", "such", "that", "the", "their",
    "then", "there", "these", "they", "this", "those", "though", "to", "under", "until", "we", "what",
    "when", "where", "which", "while", "who", "why", "with", "yet", "you", "your",
];

/// Returns whether the full stop after `word` belongs to the word, given what follows the white space behind it.
pub(super) fn keeps_its_stop(word: &str, following: &str) -> bool {
    let lower = word.to_lowercase();
    let is_in = |list: &[&str]| list.contains(&lower.as_str());
    if is_in(ALWAYS) {
        return true;
    }
    if following.starts_with(|character: char| character.is_numeric()) && is_in(BEFORE_NUMBERS) {
        return true;
    }
    // "J. Smith" and "U.S. Army"; but the pronoun ends sentences.
    let initials = word != "I" && word.split('.').all(is_initial);
    (initials || is_in(OFTEN)) && !starts_sentence(following)
}

fn is_initial(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next().is_some_and(char::is_uppercase) && characters.next().is_none()
}

fn starts_sentence(following: &str) -> bool {
    let word: String = following.chars().take_while(|character| character.is_alphabetic()).take(8).collect();
    word.is_empty() || STARTERS.contains(&word.to_lowercase().as_str())
}
