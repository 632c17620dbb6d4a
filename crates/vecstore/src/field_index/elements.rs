//! Conditions of several steps: on the elements of lists, and on points.

use super::field::Field;
use super::layout::part;
use super::leaf::{self, Leaf, Part, look_up, numbers_within, with_element};
use super::plan::Step;
use super::reader::FieldIndex;
use crate::error::Result;
use crate::filter::{Node, Operand, OperandSet, Rectangle, Test};

/// `$contains` and `$contains_all`: a string with all substrings, or a list with all elements.
pub(super) fn contains<'a>(field: &Field<'a>, test: &Test, operands: &[Operand]) -> Result<Step<'a>> {
    let strings = Step::Leaf(leaf::of_table(&field.values(), test)?);
    let mut all = vec![Step::Leaf(Leaf { yes: vec![Part::Set(field.lists())], ..Leaf::default() })];
    for operand in operands {
        all.push(Step::Leaf(with_element(field, |visit| operand.for_each_wanted(visit))?));
    }
    Ok(Step::Any(vec![strings, Step::All(all)]))
}

/// `$contains_any`: a string with a substring, or a list with an element.
pub(super) fn contains_any<'a>(field: &Field<'a>, test: &Test, operands: &OperandSet) -> Result<Step<'a>> {
    let strings = Step::Leaf(leaf::of_table(&field.values(), test)?);
    let lists = Step::Leaf(with_element(field, |visit| operands.for_each_wanted(visit))?);
    Ok(Step::Any(vec![strings, lists]))
}

/// `$elem_match`: a list with one element that satisfies everything.
pub(super) fn elem_match<'a>(field: &Field<'a>, inner: &Node, maps_only: bool) -> Result<Step<'a>> {
    if maps_only {
        return Ok(upper(field.elements().set(part::MAPS)));
    }
    element_step(field, inner)
}

fn upper(set: super::stored_set::StoredSet<'_>) -> Step<'_> {
    let mut leaf = Leaf::default();
    leaf.maybe(set);
    Step::Leaf(leaf)
}

/// Returns the rows that have an element that satisfies a node. Recursion is bounded by the depth of filters.
fn element_step<'a>(field: &Field<'a>, node: &Node) -> Result<Step<'a>> {
    Ok(match node {
        Node::Any(nodes) => {
            Step::Any(nodes.iter().map(|node| element_step(field, node)).collect::<Result<_>>()?)
        }
        Node::All(nodes) => match &nodes[..] {
            [node] => element_step(field, node)?,
            [] => upper(field.lists()),
            // Each part may be satisfied by another element.
            nodes => Step::AtMost(Box::new(Step::All(
                nodes.iter().map(|node| element_step(field, node)).collect::<Result<_>>()?,
            ))),
        },
        Node::Not(_) | Node::Field { .. } | Node::Element(Test::Present) => upper(field.lists()),
        Node::Element(test) => {
            let mut leaf = Leaf::default();
            leaf.elements(leaf::of_table(&field.elements(), test)?);
            // What is in containers inside lists is for the documents.
            leaf.maybe(field.elements().set(part::LISTS));
            leaf.maybe(field.elements().set(part::MAPS));
            Step::Leaf(leaf)
        }
    })
}

/// `$geo_box`, and the box of `$geo_radius`: the fields `lat` and `lon` of a map have columns of their own.
pub(super) fn rectangle<'a>(
    index: &FieldIndex<'a>,
    path: &str,
    field: &Field<'a>,
    rectangle: &Rectangle,
) -> Result<Step<'a>> {
    let maps = field.values().set(part::MAPS);
    let mut steps = vec![Step::Leaf(Leaf { yes: vec![Part::Set(maps)], ..Leaf::default() })];
    let (left, right) = (rectangle.top_left.lon, rectangle.bottom_right.lon);
    let lat = [(rectangle.bottom_right.lat, rectangle.top_left.lat)];
    let lon = if left <= right { vec![(left, right)] } else { vec![(left, 180.0), (-180.0, right)] };
    for (key, ranges) in [("lat", &lat[..]), ("lon", &lon[..])] {
        let looked = look_up(index, &format!("{path}.{key}"))?;
        let mut any = Vec::new();
        for &(low, high) in ranges {
            any.push(Step::Leaf(numbers_within(looked.field.as_ref(), low, high)?));
        }
        any.extend(looked.undecided.into_iter().map(upper));
        steps.push(Step::Any(any));
    }
    // Points in lists have no columns.
    Ok(Step::Any(vec![Step::All(steps), upper(field.elements().set(part::MAPS))]))
}
