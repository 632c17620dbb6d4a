//! Splitting code along the tree that a parser makes of it.
//!
//! Siblings form units: a definition with the comments, decorators and attributes directly above it, and a statement with
//! the punctuation behind it on its line. A unit is what is kept whole.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree, TreeCursor};
use tree_sitter_language_of::grammar;

use super::Language;
use crate::split::chunks::{Contexts, Field};
use crate::split::error::Result;
use crate::split::levels::{LINES, Level};
use crate::split::outline::{Outline, push_outline};
use crate::split::packer::Packer;

/// The parser reports every 100 steps or so; well-formed code takes a report for about 100 bytes. Whatever takes
/// much longer is not source code, and is split by keywords.
const BYTES_PER_REPORT: usize = 2;
const REPORTS_FREE: usize = 2_000;

/// The parser reads a text in pieces of this size, most of them once: again only where it goes back over an end of one.
/// What it reads more often has comments or strings that never end, each of which it looks for to the end of the text.
const PIECE_BYTES: usize = 4_096;
const READS_PER_PIECE: usize = 64;
const READS_FREE: usize = 1_024;

mod tree_sitter_language_of {
    use super::Language;

    /// Returns the grammar of a language, if there is one.
    pub(super) fn grammar(language: Language) -> Option<tree_sitter::Language> {
        Some(match language {
            Language::C => tree_sitter_c::LANGUAGE.into(),
            Language::Cpp => tree_sitter_cpp::LANGUAGE.into(),
            Language::Go => tree_sitter_go::LANGUAGE.into(),
            Language::Java => tree_sitter_java::LANGUAGE.into(),
            Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Language::Python => tree_sitter_python::LANGUAGE.into(),
            Language::Rust => tree_sitter_rust::LANGUAGE.into(),
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            _ => return None,
        })
    }
}

/// Parses a text, unless there is no parser, or parsing takes out of all proportion long.
pub(super) fn parse(text: &str, language: Language) -> Option<Tree> {
    // Offsets of the parser have 32 bits.
    if text.len() >= u32::MAX as usize || compares_generics(language) && has_endless_generics(text) {
        return None;
    }
    parse_within(text, language, REPORTS_FREE + text.len() / BYTES_PER_REPORT)
}

/// Returns whether `<` begins a type or compares, which the parser only knows at its end.
fn compares_generics(language: Language) -> bool {
    matches!(language, Language::Java | Language::TypeScript | Language::Tsx)
}

fn parse_within(text: &str, language: Language, most_reports: usize) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&grammar(language)?).ok()?;
    let bytes = text.as_bytes();
    let most_reads = READS_FREE + bytes.len() / PIECE_BYTES * READS_PER_PIECE;
    let (mut reports, reads) = (0, Cell::new(0));
    let mut progress = |_: &ParseState| {
        reports += 1;
        let ends = reports > most_reports || reads.get() > most_reads || vecstore_interrupt::is_requested();
        if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut piece = |at: usize, _| {
        reads.set(reads.get() + 1);
        // The text seems to end, so that the parser comes to the next report.
        let end = if reads.get() > most_reads { at } else { bytes.len().min(at + PIECE_BYTES) };
        bytes.get(at..end).unwrap_or_default()
    };
    let tree = parser.parse_with_options(&mut piece, None, Some(options));
    tree.filter(|_| reads.get() <= most_reads)
}

/// Returns whether more `<` are open than any source code has. Where each may begin a type or compare, the parser compares
/// what both ways have come to, again and again.
fn has_endless_generics(text: &str) -> bool {
    const MOST_OPEN: usize = 256;
    let (mut open, mut before) = (0_usize, b' ');
    for &byte in text.as_bytes() {
        match byte {
            // A shift opens nothing.
            b'<' if before == b'<' => open = open.saturating_sub(1),
            b'<' => open += 1,
            b'>' => open = open.saturating_sub(1),
            b';' | b'{' | b'}' => open = 0,
            _ => {}
        }
        if open > MOST_OPEN {
            return true;
        }
        before = byte;
    }
    false
}

/// Pushes a text along its tree, and returns what is known of its places.
pub(super) fn push_tree(
    tree: &Tree,
    text: &str,
    language: Language,
    packer: &mut Packer<'_, '_>,
) -> Result<Contexts> {
    let root = tree.root_node();
    let mut code = Code {
        text,
        language,
        members: Vec::new(),
        cursor: root.walk(),
        symbols: Vec::new(),
        outer: Vec::new(),
        around: language.fields(&[]),
        contexts: Contexts::default(),
    };
    let mut roots = Vec::new();
    code.units_of(root, &mut roots);
    push_outline(&mut code, roots, 0..text.len(), packer)?;
    Ok(code.contexts)
}

/// Siblings that belong together: `members[first..first + count]`.
#[derive(Clone, Copy)]
struct Unit {
    first: usize,
    count: usize,
    start: usize,
    end: usize,
    /// Whether it was in a unit with what is before it.
    is_led: bool,
}

/// The most names that are told of a place: deep nesting would make the names longer than the text.
const MOST_SYMBOLS: usize = 32;

struct Code<'t> {
    text: &'t str,
    language: Language,
    members: Vec<Node<'t>>,
    cursor: TreeCursor<'t>,
    /// The names of the definitions that are entered, the outermost of them.
    symbols: Vec<String>,
    /// For each unit that is entered, the fields of the place around it, if it has a name.
    outer: Vec<Option<Arc<Vec<Field>>>>,
    /// The fields of the place inside them.
    around: Arc<Vec<Field>>,
    contexts: Contexts,
}

impl<'t> Code<'t> {
    /// Appends the children of a node, as units.
    fn units_of(&mut self, node: Node<'t>, into: &mut Vec<Unit>) {
        self.cursor.reset(node);
        if !self.cursor.goto_first_child() {
            return;
        }
        let from = into.len();
        loop {
            let child = self.cursor.node();
            if child.start_byte() < child.end_byte() {
                self.add(child, from, into);
            }
            if !self.cursor.goto_next_sibling() {
                return;
            }
        }
    }

    fn add(&mut self, child: Node<'t>, from: usize, into: &mut Vec<Unit>) {
        let (start, end) = (child.start_byte(), child.end_byte());
        let last = if into.len() > from { into.last_mut() } else { None };
        if let Some(last) = last {
            let gap = self.text.get(last.end..start).unwrap_or_default();
            let previous = self.members[last.first + last.count - 1];
            let same_line = !gap.contains('\n') && !self.text[..last.end].ends_with('\n');
            let leads = is_leading(previous) && gap.matches('\n').count() <= 1;
            let trails = same_line && is_trailing(child);
            if leads || trails {
                self.members.push(child);
                (last.count, last.end) = (last.count + 1, end);
                return;
            }
        }
        self.members.push(child);
        into.push(Unit { first: self.members.len() - 1, count: 1, start, end, is_led: false });
    }

    fn definition(&self, unit: Unit) -> Option<String> {
        if self.symbols.len() == MOST_SYMBOLS {
            return None;
        }
        self.members[unit.first..unit.first + unit.count]
            .iter()
            .rev()
            .find_map(|node| name_of(*node, self.text))
    }

    fn fields_inside(&self, name: String) -> Arc<Vec<Field>> {
        let symbols: Vec<String> = self.symbols.iter().cloned().chain([name]).collect();
        self.language.fields(&symbols)
    }
}

impl Outline for Code<'_> {
    type Node = Unit;

    fn span(&self, unit: Unit) -> Range<usize> {
        unit.start..unit.end
    }

    fn children(&mut self, unit: Unit, into: &mut Vec<Unit>) {
        if unit.count == 1 {
            let node = self.members[unit.first];
            self.units_of(node, into);
            return;
        }
        for at in unit.first..unit.first + unit.count {
            let node = self.members[at];
            let is_led = at > unit.first;
            into.push(Unit { first: at, count: 1, start: node.start_byte(), end: node.end_byte(), is_led });
        }
    }

    fn levels(&self, _unit: Unit) -> &'static [Level] {
        LINES
    }

    fn stands_alone(&self, unit: Unit) -> bool {
        // A definition in a unit of several stands alone with these.
        let members = &self.members[unit.first..unit.first + unit.count];
        !unit.is_led && members.iter().any(|node| is_definition(*node))
    }

    fn visit(&mut self, unit: Unit, start: usize) {
        let fields = match self.definition(unit) {
            Some(name) => self.fields_inside(name),
            None => Arc::clone(&self.around),
        };
        self.contexts.push(start, &fields);
    }

    fn enter(&mut self, unit: Unit) {
        let name = if unit.count == 1 { self.definition(unit) } else { None };
        self.outer.push(name.map(|name| {
            self.symbols.push(name);
            let inside = self.language.fields(&self.symbols);
            std::mem::replace(&mut self.around, inside)
        }));
    }

    fn leave(&mut self, _unit: Unit) {
        if let Some(Some(outer)) = self.outer.pop() {
            self.symbols.pop();
            self.around = outer;
        }
    }
}

/// Comments, and what is attached to the definition below.
fn is_leading(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "comment"
            | "line_comment"
            | "block_comment"
            | "attribute_item"
            | "inner_attribute_item"
            | "decorator"
            | "marker_annotation"
            | "annotation"
    )
}

/// Punctuation that ends what is before it.
fn is_trailing(node: Node<'_>) -> bool {
    matches!(node.kind(), ";" | "," | ")" | "]" | "}")
}

fn is_definition(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        // Python
        "function_definition" | "class_definition" | "decorated_definition"
            // Rust
            | "function_item" | "struct_item" | "enum_item" | "union_item" | "trait_item" | "impl_item" | "mod_item"
            | "macro_definition"
            // JavaScript, TypeScript
            | "function_declaration" | "generator_function_declaration" | "class_declaration" | "method_definition"
            | "abstract_class_declaration" | "interface_declaration" | "enum_declaration" | "internal_module"
            | "type_alias_declaration" | "export_statement"
            // Java
            | "record_declaration" | "annotation_type_declaration" | "method_declaration" | "constructor_declaration"
            // C, C++
            | "struct_specifier" | "union_specifier" | "enum_specifier" | "class_specifier" | "namespace_definition"
            | "template_declaration"
            // Go
            | "type_declaration"
    )
}

/// Returns the name that a node defines.
fn name_of(node: Node<'_>, text: &str) -> Option<String> {
    if !is_definition(node) {
        return None;
    }
    let mut named = match node.kind() {
        // What these wrap is the definition.
        "decorated_definition" => return name_of(node.child_by_field_name("definition")?, text),
        "export_statement" => return name_of(node.child_by_field_name("declaration")?, text),
        "template_declaration" => {
            let last = node.named_child_count().checked_sub(1)?;
            return name_of(node.named_child(last.try_into().ok()?)?, text);
        }
        "type_declaration" => node.named_child(0)?.child_by_field_name("name")?,
        "impl_item" => node.child_by_field_name("type")?,
        _ => node.child_by_field_name("name").or_else(|| node.child_by_field_name("declarator"))?,
    };
    // In C the name is inside the declarator: `*(*name)(...)`. No name is that deep.
    for _ in 0..16 {
        let Some(inner) = node_inside(named) else { break };
        named = inner;
    }
    let name = text.get(named.byte_range())?.trim();
    (!name.is_empty() && name.len() <= 200).then(|| name.to_owned())
}

fn node_inside(declarator: Node<'_>) -> Option<Node<'_>> {
    declarator.child_by_field_name("declarator")
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "
#include <stdio.h>
#define LARGEST(a, b) ((a) > (b) ? (a) : (b))
typedef struct node { struct node *next; int (*compare)(const void *, const void *); unsigned flags : 3; } node_t;
static const unsigned char table[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a };
#ifdef DEBUG
static void trace(const char *format, ...) { fprintf(stderr, format); }
#endif
int find(node_t *head, const void *key) {
    for (node_t *at = head; at != NULL && at->next; at = at->next) {
        if (at->compare(key, (void *)at) == 0 || (at->flags & 0x3u) << 2 > sizeof(node_t)) { goto found; }
        switch (at->flags) { case 1: case 2: break; default: continue; }
    }
    return -1;
found:
    return LARGEST(1, a < b && c > d);
}
";
    const CPP: &str = "
template <typename Key, typename Value, typename Compare = std::less<Key>>
class Cache : public Base<Key, std::vector<std::pair<const Key, Value>>>, private detail::Holder<Value> {
public:
    explicit Cache(std::size_t most) noexcept(false) : most_(most), at_{0}, Base<Key, Value>(most) {}
    Cache(const Cache &) = delete;
    Cache &operator=(Cache &&other) noexcept = default;
    template <class... Args> auto emplace(Args &&...args) -> std::pair<typename Map::iterator, bool> {
        static_assert(sizeof...(Args) < 16 && std::is_same_v<std::decay_t<Key>, Key>, \"keys\");
        auto made = std::make_unique<std::map<std::string, std::vector<std::array<int, 4>>>>();
        for (const auto &[key, value] : *made) { if (key < value.size() && value.size() > at_) total += a < b; }
        return map_.emplace([&, this](auto &&it) mutable { return f<Key>(it) << 2 >> 1; }, std::forward<Args>(args)...);
    }
    bool operator<(const Cache &other) const { return std::tie(at_, most_) < std::tie(other.at_, other.most_); }
private:
    std::size_t most_, at_; std::unordered_map<Key, std::list<std::pair<Key, Value>>, Compare> map_;
};
";
    const GO: &str = "
// Cache keeps what was used last.
type Cache[K comparable, V any] struct { mu sync.Mutex; items map[K]*list.Element; most int `json:\"most\"` }

func (c *Cache[K, V]) Get(ctx context.Context, key K) (value V, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, each := range []map[string][]int{{\"a\": {1, 2}}, {\"b\": nil}} {
		if x, ok := each[\"a\"]; ok && i < len(x) && x[i] > 3 { go func() { ch <- fmt.Sprintf(\"%v\", x) }() }
	}
	select { case <-ctx.Done(): return value, ctx.Err(); default: }
	return convert[K, V](key), nil
}
";
    const JAVA: &str = "
/** Keeps what was used last. */
@Component(value = \"cache\", scope = Scope.SINGLETON)
public final class Cache<K extends Comparable<? super K>, V> extends Base<Map<K, List<Set<V>>>> implements Serializable {
    private static final Map<String, Map<String, List<Function<? super Integer, ? extends List<String>>>>> ALL = new HashMap<>();
    @Override @SuppressWarnings(\"unchecked\")
    public <T extends Comparable<T>> Optional<Map<K, V>> find(final K key, T... others) throws IOException, Missing {
        for (int i = 0, n = others.length; i < n && n > 2; i++) { total += a < b ? (int) x >>> 3 : (y << 2); }
        return entries.stream().filter(each -> each.getKey().compareTo(key) < 0).map(Map.Entry::getValue)
            .collect(Collectors.groupingBy(v -> v.size(), TreeMap::new, Collectors.toList())).entrySet().stream()
            .flatMap((Map.Entry<Integer, List<V>> e) -> e.getValue().stream()).findFirst().map(v -> (Map<K, V>) v);
    }
    enum Kind { ONE { int code() { return 1; } }, TWO { int code() { return 2; } }; abstract int code(); }
}
";
    const JAVASCRIPT: &str = "
import { readFile as read, writeFile } from \"node:fs/promises\";
const table = { a: 1, \"b\": [1, 2, { c: /a<b>[/]/gi }], async *d() { yield* other(); }, get e() { return `x ${a < b ? `y` : 1}`; } };
export class Cache extends Map {
  #most = 10; static of = (...all) => new Cache(all);
  async find({ key, other = [] }, ...rest) {
    for (const [name, value] of Object.entries(table)) { if (name < key && value > 3) await this.set(name, value ?? rest?.[0]); }
    return (a, b) => ({ ...a, b: b ** 2, c: (await read(key))?.length >>> 1 });
  }
}
export default function make(a = 1, b = () => {}) { try { a++; } catch { label: while (true) break label; } return a, b; }
";
    const PYTHON: &str = "
@dataclass(frozen=True)
class Cache(Generic[K, V], metaclass=Meta):
    \"\"\"Keeps what was used last.\"\"\"

    most: int = 10

    @property
    async def find(self, key: K, *others: dict[str, list[V]], default: V | None = None) -> Iterator[tuple[K, V]]:
        with open(key) as file, lock: yield from (f\"{a!r:>{width}}\" for a in others if a not in {1: [2], **b})
        try:
            x = lambda a, *b: a if b else [c for d in b for c in d][1:-1:2]
        except* (ValueError, KeyError) as error:
            raise Missing(f\"no {key}\") from error
        match key:
            case {\"a\": [first, *_]} if first < 3: return
";
    const RUST: &str = "
/// Keeps what was used last.
#[derive(Debug, Clone)]
pub(crate) struct Cache<'a, K: Ord + ?Sized, V = Vec<Option<Box<dyn Fn(&'a K) -> Result<V, Error> + Send>>>> { most: usize }

impl<'a, K: Ord, V> Cache<'a, K, V> where for<'b> &'b V: IntoIterator<Item = (K, Vec<Vec<V>>)> {
    pub async fn find<Q>(&mut self, key: &Q) -> Option<&'a V> {
        let Some((at, _)) = self.all.iter().enumerate().find(|(i, each)| *i < 3 && each.key >= key) else { return None };
        for (i, x) in vec![1u8 << 2, b'a'].into_iter().collect::<Vec<_>>().iter().enumerate() { total += i as u64 * 2; }
        match self.all.get(at..=at + 1)? { [Entry { key, .. }, ..] if a < b => key.await?, _ => r#\"raw\"#.into() }
    }
}
macro_rules! all { ($($name:ident => $value:expr),* $(,)?) => { $(let $name = $value;)* }; }
";
    const TYPESCRIPT: &str = "
import type { Reader } from \"./reader\";
export type Deep<T> = T extends Array<infer U> ? Array<Deep<U>> : { readonly [K in keyof T]?: Deep<T[K]> };
export interface Options<K extends string = \"a\" | \"b\", V = Record<K, Array<Map<string, Set<number>>>>> { key: K; call?(value: V): void }
@injectable()
export abstract class Cache<K extends keyof Options, V> extends Base<Map<K, V[]>> implements Reader<V> {
  constructor(private readonly most: number, protected all: Map<K, Promise<Array<V>>> = new Map<K, Promise<Array<V>>>()) { super(); }
  async find<T extends { id: number }>(key: K, other: (value: T) => value is NonNullable<T>): Promise<Map<K, T[]> | undefined> {
    for (let i = 0; i < this.most && this.most > 2; i++) { total += a < b ? (x as unknown as number) >>> 3 : y!.z << 2; }
    const made = await Promise.all(this.items.filter((each): each is T => each.key < key).map(async <U,>(x: U) => f<U>(x)));
    return made satisfies unknown ? new Map<K, T[]>([[key, made]]) : undefined;
  }
}
declare module \"other\" { export function make<const T extends readonly unknown[]>(...all: T): asserts all is T; }
";
    const TSX: &str = "
export const List = <T extends { id: string }>({ items, render, ...rest }: Props<T, Map<string, T[]>>): JSX.Element => {
  const [open, setOpen] = useState<Record<string, boolean>>({});
  if (items.length < 1 && open[\"a\"]) return <></>;
  return (
    <ul className={`list ${open ? \"open\" : \"\"}`} {...rest} onClick={(event: MouseEvent<HTMLElement>) => setOpen({ a: true })}>
      {items.map((item) => <li key={item.id}>{item.id < \"b\" ? <b>It&apos;s {render(item)}</b> : <Context.Provider value={{ item }} />}</li>)}
    </ul>
  );
};
";

    #[test]
    fn source_code_is_parsed_with_an_eighth_of_the_reports_allowed() {
        for (language, part) in [
            (Language::C, C),
            (Language::Cpp, CPP),
            (Language::Go, GO),
            (Language::Java, JAVA),
            (Language::JavaScript, JAVASCRIPT),
            (Language::Python, PYTHON),
            (Language::Rust, RUST),
            (Language::TypeScript, TYPESCRIPT),
            (Language::Tsx, TSX),
        ] {
            let text = part.repeat(200_000 / part.len());
            let tree = parse_within(&text, language, text.len() / BYTES_PER_REPORT / 8);
            let tree = tree.unwrap_or_else(|| panic!("{language:?} takes too many reports"));
            assert!(!tree.root_node().has_error(), "{language:?} is not parsed: {}", errors(&tree, &text));
            // As it is while it is written: cut off in the midst of a definition.
            let end = text.floor_char_boundary(text.len() - part.len() / 2);
            assert!(parse(&text[..end], language).is_some(), "{language:?} is given up where it is cut");
        }
        for language in [Language::Java, Language::TypeScript, Language::Tsx] {
            assert!(parse(&"a<b,".repeat(1_000), language).is_none());
        }
    }

    fn errors(tree: &Tree, text: &str) -> String {
        let mut node = tree.root_node();
        while let Some(inner) =
            (0..node.child_count() as u32).filter_map(|at| node.child(at)).find(Node::has_error)
        {
            node = inner;
        }
        text[node.byte_range()].chars().take(200).collect()
    }
}
