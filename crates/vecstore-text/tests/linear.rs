//! The cost of splitting is linear in the text, however the text is made: twice the text, twice the time.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};
use vecstore_text::split::{
    Chars, CodeSplitter, Encoding, HtmlSplitter, JsonSplitter, Language, Limits, MarkdownSplitter, Recursive,
    SemanticOptions, SemanticSplitter, SentenceSplitter, Splitter, TokenSplitter,
};

/// Texts that ask for more than linear time of one splitter or another that is not careful.
fn texts(n: usize) -> Vec<(&'static str, String)> {
    let around = |open: &str, inner: &str, close: &str| open.repeat(n) + inner + &close.repeat(n);
    let spaces = " ".repeat(n);
    let newlines = "\n".repeat(n);
    vec![
        ("braces", around("{", "", "}")),
        ("brackets", around("[", "", "]")),
        ("parentheses", around("(", "", ")")),
        ("open parentheses", "(".repeat(n)),
        ("open braces", "{".repeat(n)),
        ("closing braces", "}".repeat(n)),
        ("objects", around("{\"k\":", "1", "}")),
        ("spaced objects", around("{ \"k\" : ", "1", " }") + &spaces),
        ("classes", around("class A {", "", "}")),
        ("nested python", (0..n / 64).map(|at| " ".repeat(at % 200) + "class A:\n").collect()),
        ("calls", around("f(", "", ")")),
        ("blocks of if", around("if (a) {", "", "}")),
        ("open blocks of if", "if (a) {".repeat(n)),
        ("types that never end", "a<b,".repeat(n)),
        ("spaced comments", "/* ".repeat(4 * n)),
        ("else if", "if a { } else ".repeat(n)),
        ("less than", "a<".repeat(n)),
        ("templates", around("a<", "b", ">")),
        ("jsx", around("<a>", "", "</a>")),
        ("pluses", "1+".repeat(n)),
        ("minuses", "- ".repeat(n)),
        ("stars", "*".repeat(n) + "a"),
        ("star letters", "*a ".repeat(n)),
        ("star pairs", "*a **b ".repeat(n)),
        ("underscores", "_a_b".repeat(n)),
        ("double quotes", "\"".repeat(n)),
        ("quoted", "\"a".repeat(n) + "\n"),
        ("backticks", (1..n / 40).map(|at| "`".repeat(at % 80 + 1) + " ").collect()),
        ("fences", "```\n".repeat(n)),
        ("comments", "/*".repeat(n)),
        ("comment lines", "// c\n".repeat(n)),
        ("large definitions", format!("def f():\n{}\n\n", "    return 1 + 1\n".repeat(8)).repeat(n / 100)),
        ("large functions", format!("fn f() {{\n{}}}\n\n", "    call(1 + 1);\n".repeat(8)).repeat(n / 100)),
        (
            "led functions",
            format!("// c\n\nfn f() {{\n{}}}\n\n", "    call(1 + 1);\n".repeat(8)).repeat(n / 100),
        ),
        ("decorators", "@a\n".repeat(n)),
        ("attributes", "#[a]\n".repeat(n)),
        ("semicolons", ";".repeat(n)),
        ("commas", "a,".repeat(n)),
        ("one line calls", "a(b);".repeat(n)),
        ("pointers", "int ".to_owned() + &"*".repeat(n) + "a;"),
        ("wide definitions", "def f(): pass\n".repeat(n)),
        ("lists", (0..n / 50).map(|at| "  ".repeat(at % 100) + "- a\n").collect()),
        ("one deep list", "- ".repeat(n / 50) + "a" + &newlines),
        ("numbers in lists", "1. ".repeat(n)),
        ("quotes", "> ".repeat(n / 50) + "a\n"),
        ("quotes of lines", "> a\n".repeat(n)),
        ("quotes in steps", (0..n / 50).map(|at| ">".repeat(at % 100) + " a\n").collect()),
        ("open links", "[".repeat(n) + "a"),
        ("links", around("[", "a", "](b)")),
        ("images", "![".repeat(n)),
        ("link starts", "[a](".repeat(n)),
        (
            "link definitions",
            (0..n / 10).map(|at| format!("[{at}]: u\n")).collect::<String>() + &"[1]".repeat(n),
        ),
        ("footnotes", (0..n / 10).map(|at| format!("[^{at}]: u\n")).collect()),
        ("entities", "&amp;&".repeat(n)),
        ("tables", "|a|b|\n|-|-|\n".to_owned() + &"|c|d|\n".repeat(n)),
        ("wide table", "|a".repeat(n) + "|\n" + &"|-".repeat(n) + "|\n"),
        ("headings", "# a\n".repeat(n)),
        ("underlined", "a\n=\n".repeat(n)),
        ("a long title", "# ".to_owned() + &"t".repeat(n) + &"\n\n## x\n\ntext".repeat(n / 8)),
        ("open headings", "<h6>x".repeat(n)),
        ("open titles", "<h1>x<div>".repeat(n)),
        ("a long heading", "<h1>".to_owned() + &"t".repeat(n) + "</h1>" + &"<h2>x</h2><p>text".repeat(n / 8)),
        ("deep headings", "<h1><div>".repeat(n) + &"x".repeat(n)),
        ("open divs", "<div>".repeat(n) + &spaces),
        ("divs", around("<div>", "a", "</div>")),
        ("divs apart", around("<div> ", "a", " </div>")),
        ("open paragraphs", "<p>a".repeat(n)),
        ("open spans", "<span>a".repeat(n)),
        ("items", "<ul><li>a".repeat(n)),
        ("cells", "<table><tr><td>a".repeat(n)),
        ("less and bang", "<!".repeat(n)),
        ("less and question", "<?".repeat(n)),
        ("less", "<".repeat(n)),
        ("less and letter", "<a ".repeat(n)),
        ("attribute quotes", "<a b='".repeat(n)),
        ("equal signs", "<a ".to_owned() + &"= \"x\" ".repeat(n) + ">"),
        ("open comments", "<!--".repeat(n)),
        ("scripts", "<script>".repeat(n)),
        ("closed scripts", "<script></script>".repeat(n)),
        ("noscripts", "<noscript>a".repeat(n)),
        ("titles", "<title>a".repeat(n)),
        ("svgs", "<svg>".repeat(n)),
        ("closing tags", "</div>".repeat(n)),
        ("misnested", "<b><div></b></div>".repeat(n)),
        ("letters", "a".repeat(n)),
        ("letters of two bytes", "\u{e9}".repeat(n)),
        ("ideographs", "\u{4e2d}".repeat(n)),
        ("thai", "\u{e01}\u{e33}\u{e49}".repeat(n)),
        ("flags", "\u{1f1e6}".repeat(n)),
        ("marks", "\u{301}".repeat(n)),
        ("marked spaces", " \u{301}".repeat(n)),
        ("joined emoji", "\u{1f468}\u{200d}".repeat(n)),
        ("conjuncts", "\u{915}\u{94d}".repeat(n)),
        ("viramas", "\u{915}".to_owned() + &"\u{94d}".repeat(n) + "\u{915}"),
        ("prepended", "\u{600}".repeat(n)),
        ("hangul", "\u{1100}\u{1161}".repeat(n)),
        ("spaces", spaces.clone()),
        ("words and spaces", ("a".to_owned() + &" ".repeat(50)).repeat(n / 50)),
        ("newlines", newlines.clone()),
        ("windows newlines", "\r\n".repeat(n)),
        ("stops", ".".repeat(n)),
        ("spaced stops", ". ".repeat(n)),
        ("a stop and brackets", ".".to_owned() + &")".repeat(n) + "\u{e9}"),
        ("a stop and digits", ". ".to_owned() + &"1 ".repeat(n) + "\u{e9}"),
        ("brackets and stops", ".)".repeat(n) + "\u{e9}"),
        ("stops of ideographs", "\u{3002}\u{ff09}".repeat(n)),
        ("abbreviations", "e.g. ".repeat(n)),
        ("initials", "A.".repeat(n)),
        ("spaced initials", "A. ".repeat(n)),
        ("numbers", "1.".repeat(n)),
        ("capitals behind an ideograph", "\u{4e2d}".to_owned() + &"A".repeat(n)),
        ("apostrophes", "a'".repeat(n)),
        ("line separators", "\u{2028}".repeat(n)),
        ("nul", "\0".repeat(n)),
    ]
}

/// Splitters with their names, and whether they are of code.
fn splitters() -> Vec<(&'static str, Box<dyn Splitter>, bool)> {
    let limits = Limits::new(64, 16).unwrap();
    let tokens = Limits::new(16, 4).unwrap();
    let mut all: Vec<(&'static str, Box<dyn Splitter>)> = vec![
        ("recursive", Box::new(Recursive::new(limits))),
        ("recursive graphemes", Box::new(Recursive::new(limits).graphemes(true))),
        (
            "recursive patterns",
            Box::new(
                Recursive::new(limits).patterns(&[r"(?<=[.!?])\s+", r"\n+", r"a*$", r"\s+", ""]).unwrap(),
            ),
        ),
        ("recursive tokens", Box::new(Recursive::new(tokens).sizer(Arc::new(Encoding::O200k)))),
        ("tokens", Box::new(TokenSplitter::new(tokens, Encoding::Cl100k))),
        ("tokens graphemes", Box::new(TokenSplitter::new(tokens, Encoding::O200k).graphemes(true))),
        ("sentences", Box::new(SentenceSplitter::new(limits))),
        ("sentences tokens", Box::new(SentenceSplitter::new(tokens).sizer(Arc::new(Encoding::Cl100k)))),
        ("markdown", Box::new(MarkdownSplitter::new(limits))),
        ("markdown tokens", Box::new(MarkdownSplitter::new(tokens).sizer(Arc::new(Encoding::Cl100k)))),
        ("html", Box::new(HtmlSplitter::new(limits))),
        ("html tokens", Box::new(HtmlSplitter::new(tokens).sizer(Arc::new(Encoding::Cl100k)))),
        ("json", Box::new(JsonSplitter::new(limits))),
        ("json tokens", Box::new(JsonSplitter::new(tokens).sizer(Arc::new(Encoding::Cl100k)))),
        (
            "semantic",
            Box::new(SemanticSplitter::new(
                SemanticOptions::new(64, 16).unwrap().sizer(Arc::new(Chars)),
                |texts| Ok(vec![vec![1.0]; texts.len()]),
            )),
        ),
    ];
    let others = all.len();
    for (name, language) in [
        ("python", Language::Python),
        ("rust", Language::Rust),
        ("tsx", Language::Tsx),
        ("java", Language::Java),
        ("cpp", Language::Cpp),
        ("go", Language::Go),
        ("ruby", Language::Ruby),
        ("any", Language::Any),
    ] {
        all.push((name, Box::new(CodeSplitter::new(limits, language))));
    }
    let is_code = |at: usize| at >= others;
    all.into_iter().enumerate().map(|(at, (name, splitter))| (name, splitter, is_code(at))).collect()
}

/// The time that this thread computed: others on the machine do not count.
#[cfg(unix)]
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// The time since the first call.
#[cfg(not(unix))]
fn computed() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

fn time(splitter: &dyn Splitter, text: &str) -> Duration {
    let before = computed();
    // What is no JSON is an error, which takes time to find, too.
    drop(splitter.split(text));
    computed().saturating_sub(before)
}

const SHORT: usize = 1_000;
/// The longer texts are so many times as long.
const TIMES: usize = 8;
/// So many kinds of text come first that look like code.
const CODE_KINDS: usize = 43;
/// What is faster than this on the longer text is not looked at further: the quadratic would take longer.
const QUICK: Duration = Duration::from_millis(30);
/// A first call may find its caches cold: a shorter text counts as taking this at least.
const LEAST: Duration = Duration::from_millis(1);

#[test]
fn twice_the_text_takes_twice_the_time() {
    let plain = [texts(SHORT), texts(SHORT * TIMES)];
    // Parsers take longer, and what is not code is all one to them.
    let mut code = [texts(SHORT / 2), texts(SHORT / 2 * TIMES)];
    code.iter_mut().for_each(|texts| texts.truncate(CODE_KINDS));
    let mut failures = Vec::new();
    for (name, splitter, is_code) in splitters() {
        let [short, long] = if is_code { &code } else { &plain };
        for ((kind, small), (_, large)) in short.iter().zip(long) {
            let longer = large.len().div_ceil(small.len().max(1));
            let most = |short: Duration| short.max(LEAST) * u32::try_from(longer).unwrap() * 5 / 2;
            let mut slow = Duration::MAX;
            for _ in 0..3 {
                slow = slow.min(time(&*splitter, large));
                if slow < QUICK || slow < most(time(&*splitter, small)) {
                    slow = Duration::ZERO;
                    break;
                }
            }
            if slow > Duration::ZERO {
                failures.push(format!("{name} takes {slow:?} for {} bytes of {kind}", large.len()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
