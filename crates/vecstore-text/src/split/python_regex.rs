//! Regular expressions as Python writes them, in the syntax of the engine here.
//!
//! Most of it is the same. Where the same signs mean something else, others take their place:
//!
//! | Python | here | |
//! |---|---|---|
//! | `$` | `(?=\n?\z)` | also before a line end that ends the text, unless `(?m)` is on |
//! | `\Z` | `\z` | the end |
//! | `\s`, `\S` | with `\x1c-\x1f` | four separators of ASCII are white space |
//! | `\w`, `\W` | `[\p{L}\p{N}_]` | combining marks and joiners are no word characters |
//! | `\b`, `\B` | lookaround for these | so they do not end at the same places |
//! | `{`, `{,n}` | `\{`, `{0,n}` | a brace that counts nothing is a brace |
//! | `\0`, `\141`, `[\b]` | `\x00`, `\x61`, `[\x08]` | characters by their octal number, and backspace |
//! | `[`, `&`, `~`, `--` in a class | escaped | they are not special there |

const SPACE: &str = r"\s\x1c-\x1f";
const WORD: &str = r"\p{L}\p{N}_";
const WORD_EDGE: &str = r"(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))";
const NO_WORD_EDGE: &str = r"(?:(?<=[\p{L}\p{N}_])(?=[\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?![\p{L}\p{N}_]))";

/// Returns the pattern in the syntax of the engine.
pub(crate) fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    // Whether `(?m)` is on, in each group that is open.
    let mut multiline = vec![false];
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '\\' => {
                length += push_escape(&mut out, &rest[1..], false);
            }
            '[' => length = push_class(&mut out, rest),
            '{' => match counted(rest) {
                Some(end) => {
                    // Without a least number, it is 0.
                    out.push_str(if rest.starts_with("{,") { "{0" } else { "{" });
                    out.push_str(&rest[1..end]);
                    length = end;
                }
                None => out.push_str(r"\{"),
            },
            '(' => {
                let outer = multiline.last().copied().unwrap_or_default();
                match flags(rest) {
                    Some((set, ')')) => {
                        // Python has it hold from the beginning.
                        multiline.iter_mut().for_each(|on| *on = set.unwrap_or(*on));
                    }
                    Some((set, _)) => multiline.push(set.unwrap_or(outer)),
                    None => multiline.push(outer),
                }
                // The parenthesis behind flags alone closes nothing that was opened here.
                if let Some((_, ')')) = flags(rest) {
                    length = rest.find(')').map_or(rest.len(), |at| at + 1);
                }
                out.push_str(&rest[..length]);
            }
            ')' => {
                if multiline.len() > 1 {
                    multiline.pop();
                }
                out.push(')');
            }
            '$' if multiline.last() != Some(&true) => out.push_str(r"(?=\n?\z)"),
            other => out.push(other),
        }
        rest = &rest[length..];
    }
    out
}

/// Reads flags such as `(?im)` or `(?-m:`: whether they set `m`, and what ends them.
fn flags(group: &str) -> Option<(Option<bool>, char)> {
    let inner = group.strip_prefix("(?")?;
    let end = inner.find(|sign: char| !sign.is_ascii_alphabetic() && sign != '-')?;
    let stop = inner[end..].chars().next().filter(|stop| matches!(stop, ':' | ')'))?;
    let (on, off) = inner[..end].split_once('-').unwrap_or((&inner[..end], ""));
    let set = if on.contains('m') { Some(true) } else { off.contains('m').then_some(false) };
    Some((set, stop))
}

/// Returns where a repetition such as `{2,3}` ends, if the pattern starts with one.
fn counted(pattern: &str) -> Option<usize> {
    let end = pattern.find('}')?;
    let (least, most) = pattern[1..end].split_once(',').unwrap_or((&pattern[1..end], "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(least) && is_number(most) && end > 1).then_some(end + 1)
}

/// Pushes what a backslash and `rest` mean; returns how much of `rest` that took.
fn push_escape(out: &mut String, rest: &str, in_class: bool) -> usize {
    let Some(sign) = rest.chars().next() else {
        out.push('\\');
        return 0;
    };
    if let Some((code, length)) = octal(rest) {
        out.push_str(&format!(r"\x{code:02x}"));
        return length;
    }
    if matches!(sign, 'p' | 'P' | 'x' | 'u' | 'N' | 'k' | 'g')
        && rest[1..].starts_with('{')
        && let Some(end) = rest.find('}')
    {
        // Braces of a name, which count nothing.
        out.extend(["\\", &rest[..=end]]);
        return end + 1;
    }
    match (sign, in_class) {
        ('b', false) => out.push_str(WORD_EDGE),
        ('b', true) => out.push_str(r"\x08"),
        ('B', false) => out.push_str(NO_WORD_EDGE),
        ('Z', false) => out.push_str(r"\z"),
        ('s', false) => out.extend(["[", SPACE, "]"]),
        ('s', true) => out.push_str(SPACE),
        ('S', _) => out.extend(["[^", SPACE, "]"]),
        ('w', false) => out.extend(["[", WORD, "]"]),
        ('w', true) => out.push_str(WORD),
        ('W', _) => out.extend(["[^", WORD, "]"]),
        _ => out.extend(['\\', sign]),
    }
    sign.len_utf8()
}

/// Reads a character by its octal number, behind the backslash: a 0 with at most two digits after it, or three digits.
fn octal(rest: &str) -> Option<(u8, usize)> {
    let digits = rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let is_octal = rest.starts_with('0') || (digits == 3 && rest.starts_with(['1', '2', '3']));
    is_octal.then(|| u8::from_str_radix(&rest[..digits], 8).ok().map(|code| (code, digits))).flatten()
}

/// Pushes the class that a pattern starts with; returns its length.
fn push_class(out: &mut String, pattern: &str) -> usize {
    let head = if pattern.starts_with("[^") { 2 } else { 1 };
    out.push_str(&pattern[..head]);
    let mut at = head;
    while let Some(sign) = pattern[at..].chars().next() {
        at += sign.len_utf8();
        match sign {
            '\\' => at += push_escape(out, &pattern[at..], true),
            // A bracket at the very beginning is one of the class.
            ']' if at > head + 1 => {
                out.push(']');
                return at;
            }
            ']' | '[' | '&' | '~' => out.extend(['\\', sign]),
            '-' if out.ends_with('-') => out.push_str(r"\-"),
            other => out.push(other),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use fancy_regex::Regex;

    use super::translated;

    /// Where Python finds matches: `[match.span() for match in re.finditer(pattern, text)]`, of ASCII.
    #[test]
    fn matches_are_those_of_python() {
        for (pattern, text, spans) in [
            (r"$", "a\n", vec![(1, 1), (2, 2)]),
            (r"a$", "a\na\n", vec![(2, 3)]),
            (r"(?m)a$", "a\na\n", vec![(0, 1), (2, 3)]),
            (r"(?m:a$)|b$", "a\nb\nb\n", vec![(0, 1), (4, 5)]),
            (r"a\Z", "a\na", vec![(2, 3)]),
            (r"\$", "a$", vec![(1, 2)]),
            (r"[$]", "a$", vec![(1, 2)]),
            (r"[]$]", "a]$", vec![(1, 2), (2, 3)]),
            (r"[[\]&&~]", "[a]&~", vec![(0, 1), (2, 3), (3, 4), (4, 5)]),
            (r"[^\s]+", "a\u{1c}b", vec![(0, 1), (2, 3)]),
            (r"[\Sx]+", "a\u{1c}b", vec![(0, 1), (2, 3)]),
            (r"\s", "a\u{1f}b", vec![(1, 2)]),
            (r"\S+", "a b", vec![(0, 1), (2, 3)]),
            (r"\w+\W", "ab_1-", vec![(0, 5)]),
            (r"(?<=[.!?])\s+", "A. B", vec![(2, 3)]),
            (r"\bb", "ab b", vec![(3, 4)]),
            (r"\bb", "a\u{301}b", vec![(3, 4)]),
            (r"a\B", "ab a", vec![(0, 1)]),
            (r"{", "a{b", vec![(1, 2)]),
            (r"a{x}", "a{x}", vec![(0, 4)]),
            (r"a{1", "a{1", vec![(0, 3)]),
            (r"{}", "a{}", vec![(1, 3)]),
            (r"a{,2}b", "aab", vec![(0, 3)]),
            (r"a{2}", "aaa", vec![(0, 2)]),
            (r"a{2,}", "aaa", vec![(0, 3)]),
            (r"\0", "a\0", vec![(1, 2)]),
            (r"\141\1022", "aB2", vec![(0, 3)]),
            (r"[\0-\010]", "\u{8}a", vec![(0, 1)]),
            (r"[\b]", "a\u{8}", vec![(1, 2)]),
            (r"[+--]", "+,-.", vec![(0, 1), (1, 2), (2, 3)]),
            (r"(a)\1", "aa", vec![(0, 2)]),
            (r"\p{L}{2}", "ab", vec![(0, 2)]),
        ] {
            let regex = Regex::new(&translated(pattern)).unwrap();
            let found: Vec<_> = regex
                .find_iter(text)
                .map(|found| found.map(|one| (one.start(), one.end())).unwrap())
                .collect();
            assert_eq!(found, spans, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn what_is_malformed_stays_malformed() {
        for pattern in ["(", ")", "[", "[^", "a\\", "(?", "(?m", "*"] {
            assert!(Regex::new(&translated(pattern)).is_err(), "{pattern}");
        }
    }
}
