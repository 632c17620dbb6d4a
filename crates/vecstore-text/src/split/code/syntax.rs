//! Splitting code along the tree that a parser makes of it.
//!
//! Siblings form units: a definition with the comments, decorators and attributes directly above it, and a statement with
//! the punctuation behind it on its line. A unit is what is kept whole.

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
    if text.len() >= u32::MAX as usize || language == Language::Java && has_endless_generics(text) {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&grammar(language)?).ok()?;
    let bytes = text.as_bytes();
    let most = REPORTS_FREE + text.len() / BYTES_PER_REPORT;
    let mut reports = 0;
    let mut progress = |_: &ParseState| {
        reports += 1;
        if reports > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// Returns whether more `<` are open than any source code has. In Java each may begin a type or compare, and the parser
/// compares what both ways have come to, again and again.
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
