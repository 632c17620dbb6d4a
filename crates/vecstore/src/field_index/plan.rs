//! A filter as the columns see it: which rows match for certain, and which may.
//!
//! Each node has a lower and an upper bound, and the document decides on the rows between. The bounds of `And` and
//! `Or` are those of their parts put together; those of `Not` are exchanged.

use super::elements;
use super::leaf::{self, Leaf, Part, look_up, union};
use super::predicate::{self, RowFilter};
use super::reader::FieldIndex;
use super::row_ids::RowIds;
use crate::error::Result;
use crate::filter::{FieldPath, Node, Test};

/// A filter over the columns of one segment.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'a> {
    pub(super) root: Step<'a>,
    pub(super) rows: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Step<'a> {
    All(Vec<Step<'a>>),
    Any(Vec<Step<'a>>),
    Not(Box<Step<'a>>),
    /// An upper bound only: that the step holds does not mean that the row matches.
    AtMost(Box<Step<'a>>),
    Leaf(Leaf<'a>),
}

/// How many rows match: at least and at most so many. The same where columns tell it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cardinality {
    pub(crate) at_least: usize,
    pub(crate) at_most: usize,
}

impl Cardinality {
    /// Returns the number of rows that match, if the columns tell it.
    pub(crate) fn exact(&self) -> Option<usize> {
        (self.at_least == self.at_most).then_some(self.at_most)
    }
}

/// The rows that match, or some more.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// All rows that match, and `undecided` ones that may not.
    pub(crate) rows: RowIds,
    /// The rows of `rows` whose documents decide; none if the selection is exact.
    pub(crate) undecided: RowIds,
}

impl Selection {
    /// Returns whether every row matches.
    pub(crate) fn is_exact(&self) -> bool {
        self.undecided.is_empty()
    }

    /// Returns the number of rows: those that match if the selection is exact, otherwise at least as many.
    pub(crate) fn cardinality(&self) -> usize {
        self.rows.len()
    }
}

/// The rows that match for certain, and those that may if they are not the same.
struct Bounds {
    lower: RowIds,
    upper: Option<RowIds>,
}

impl Bounds {
    fn exact(rows: RowIds) -> Self {
        Self { lower: rows, upper: None }
    }

    fn of(lower: RowIds, upper: RowIds) -> Self {
        // Bounds that contain each other are equal if they are as large.
        let is_exact = lower.len() == upper.len();
        Self { lower, upper: (!is_exact).then_some(upper) }
    }

    fn combine(self, other: Self, combine: impl Fn(RowIds, RowIds) -> RowIds) -> Self {
        if self.upper.is_none() && other.upper.is_none() {
            return Self::exact(combine(self.lower, other.lower));
        }
        let upper = combine(
            self.upper.unwrap_or_else(|| self.lower.clone()),
            other.upper.unwrap_or_else(|| other.lower.clone()),
        );
        Self::of(combine(self.lower, other.lower), upper)
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(index: &FieldIndex<'a>, root: &Node) -> Result<Self> {
        Ok(Self { root: step(index, root)?, rows: index.rows() })
    }

    /// Returns how many rows match, from counts alone: no row is looked at.
    pub(crate) fn cardinality(&self) -> Result<Cardinality> {
        self.root.cardinality(self.rows)
    }

    /// Returns the rows that match.
    pub(crate) fn select(&self) -> Result<Selection> {
        let Bounds { lower, upper } = self.root.select(self.rows)?;
        Ok(match upper {
            None => Selection { rows: lower, undecided: RowIds::none() },
            Some(rows) => Selection { undecided: rows.clone().and_not(&lower, self.rows), rows },
        })
    }

    /// Returns a test of single rows, for when only some are asked for.
    pub(crate) fn row_filter(&self) -> Result<RowFilter<'a>> {
        predicate::row_filter(self)
    }
}

/// Recursion is bounded by the depth of filters.
fn step<'a>(index: &FieldIndex<'a>, node: &Node) -> Result<Step<'a>> {
    let all = |nodes: &[Node]| nodes.iter().map(|node| step(index, node)).collect::<Result<Vec<_>>>();
    Ok(match node {
        Node::All(nodes) => Step::All(narrowed(nodes, all(nodes)?)),
        Node::Any(nodes) => Step::Any(all(nodes)?),
        Node::Not(node) => Step::Not(Box::new(step(index, node)?)),
        Node::Field { path, test } => condition(index, path, test)?,
        // Stands only inside `$elem_match`, which has steps of its own.
        Node::Element(_) => Step::Any(Vec::new()),
    })
}

/// Puts orderings of one path together, so that how many rows lie between two bounds is known, not only beyond each.
fn narrowed<'a>(nodes: &[Node], steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
    let mut kept: Vec<Step<'a>> = Vec::with_capacity(steps.len());
    let mut orderings: Vec<(&str, usize)> = Vec::new();
    for (node, step) in nodes.iter().zip(steps) {
        let path = match node {
            Node::Field { path, test: Test::Ordered(..) | Test::Between(..) } => path.as_str(),
            _ => {
                kept.push(step);
                continue;
            }
        };
        let earlier = orderings.iter().filter(|&&(other, _)| other == path).map(|&(_, at)| at);
        let narrowed = earlier.into_iter().find_map(|at| match (&kept[at], &step) {
            (Step::Leaf(one), Step::Leaf(other)) => one.narrowed(other).map(|leaf| (at, leaf)),
            _ => None,
        });
        match narrowed {
            Some((at, leaf)) => kept[at] = Step::Leaf(leaf),
            None => {
                orderings.push((path, kept.len()));
                kept.push(step);
            }
        }
    }
    kept
}

fn condition<'a>(index: &FieldIndex<'a>, path: &FieldPath, test: &Test) -> Result<Step<'a>> {
    let looked = look_up(index, path.as_str())?;
    let step = match (&looked.field, test) {
        (Some(field), Test::Contains(operand)) => {
            elements::contains(field, test, std::slice::from_ref(operand))?
        }
        (Some(field), Test::ContainsAll(operands)) => elements::contains(field, test, operands)?,
        (Some(field), Test::ContainsAny { operands, .. }) => elements::contains_any(field, test, operands)?,
        (Some(field), Test::ElemMatch { inner, maps_only }) => {
            elements::elem_match(field, inner, *maps_only)?
        }
        (Some(field), Test::Circle(circle)) => {
            let bounds = elements::rectangle(index, path.as_str(), field, &circle.bounds())?;
            Step::AtMost(Box::new(bounds))
        }
        (Some(field), Test::Rectangle(rectangle)) => {
            elements::rectangle(index, path.as_str(), field, rectangle)?
        }
        (field, test) => Step::Leaf(leaf::of_field(field.as_ref(), test)?),
    };
    if looked.undecided.is_empty() {
        return Ok(step);
    }
    // Of these rows nothing is known, whatever the columns say.
    let mut unknown = Leaf::default();
    looked.undecided.into_iter().for_each(|set| unknown.maybe(set));
    Ok(match step {
        Step::Leaf(mut leaf) => {
            leaf.maybe.extend(unknown.maybe);
            Step::Leaf(leaf)
        }
        // Rows without columns are in no other step of these kinds.
        step => Step::Any(vec![step, Step::Leaf(unknown)]),
    })
}

impl<'a> Step<'a> {
    fn cardinality(&self, rows: usize) -> Result<Cardinality> {
        let of =
            |steps: &[Step<'a>]| steps.iter().map(|step| step.cardinality(rows)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Self::All(steps) => {
                let parts = of(steps)?;
                let missing: usize = parts.iter().map(|part| rows - part.at_least).sum();
                Cardinality {
                    at_least: rows.saturating_sub(missing),
                    at_most: parts.iter().map(|part| part.at_most).min().unwrap_or(rows),
                }
            }
            Self::Any(steps) => {
                let parts = of(steps)?;
                Cardinality {
                    at_least: parts.iter().map(|part| part.at_least).max().unwrap_or(0),
                    at_most: parts.iter().map(|part| part.at_most).sum::<usize>().min(rows),
                }
            }
            Self::Not(step) => {
                let part = step.cardinality(rows)?;
                Cardinality { at_least: rows - part.at_most, at_most: rows - part.at_least }
            }
            Self::AtMost(step) => Cardinality { at_least: 0, ..step.cardinality(rows)? },
            Self::Leaf(leaf) => leaf.cardinality(rows)?,
        })
    }

    fn select(&self, rows: usize) -> Result<Bounds> {
        Ok(match self {
            Self::All(steps) => select_all(steps, rows)?,
            Self::Any(steps) => {
                let mut any = Bounds::exact(RowIds::none());
                for step in steps {
                    any = any.combine(step.select(rows)?, |a, b| a.or(b, rows));
                }
                any
            }
            Self::Not(step) => {
                let Bounds { lower, upper } = step.select(rows)?;
                match upper {
                    None => Bounds::exact(lower.complement(rows)),
                    Some(upper) => Bounds::of(upper.complement(rows), lower.complement(rows)),
                }
            }
            Self::AtMost(step) => {
                let Bounds { lower, upper } = step.select(rows)?;
                Bounds::of(RowIds::none(), upper.unwrap_or(lower))
            }
            Self::Leaf(leaf) => {
                let yes = union(&leaf.yes, rows)?;
                if leaf.maybe.is_empty() {
                    return Ok(Bounds::exact(yes));
                }
                let maybe = union(&leaf.maybe, rows)?;
                Bounds::of(yes.clone().and_not(&maybe, rows), yes.or(maybe, rows))
            }
        })
    }
}

/// Selects by the step with the fewest rows first; once they are few, the other steps test them one by one.
fn select_all(steps: &[Step<'_>], rows: usize) -> Result<Bounds> {
    let mut order: Vec<(usize, &Step<'_>)> =
        steps.iter().map(|step| Ok((step.cardinality(rows)?.at_most, step))).collect::<Result<_>>()?;
    order.sort_by_key(|&(at_most, _)| at_most);
    let Some((&(_, first), rest)) = order.split_first() else {
        return Ok(Bounds::exact(RowIds::all(rows)));
    };
    let mut all = first.select(rows)?;
    for &(_, step) in rest {
        if all.upper.is_none()
            && let RowIds::List(list) = &mut all.lower
        {
            if list.is_empty() {
                break;
            }
            if let Some(test) = predicate::cheap(step)? {
                list.retain(|&row| test.matches(row));
                continue;
            }
        }
        all = all.combine(step.select(rows)?, |a, b| a.and(b, rows));
    }
    Ok(all)
}

impl Leaf<'_> {
    fn cardinality(&self, rows: usize) -> Result<Cardinality> {
        let counts =
            |parts: &[Part<'_>]| parts.iter().map(|part| part.count(rows)).collect::<Result<Vec<_>>>();
        let (yes, maybe) = match (&self.yes[..], &self.maybe[..]) {
            ([part], []) if !self.overlaps => {
                let count = part.count(rows)?.min(rows);
                return Ok(Cardinality { at_least: count, at_most: count });
            }
            (yes, maybe) => (counts(yes)?, counts(maybe)?),
        };
        let all = yes.iter().sum::<usize>().min(rows);
        // Where a row may count several times, one part with a single value is what is there at least.
        let some = if self.overlaps { 0 } else { all };
        let maybe = maybe.iter().sum::<usize>();
        Ok(Cardinality { at_least: some.saturating_sub(maybe), at_most: (all + maybe).min(rows) })
    }
}
