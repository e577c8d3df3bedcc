//! A part of a lambda, in CEL.

/// CEL of a part of the lambda.
pub(super) struct Cel {
    pub(super) text: String,
    pub(super) shape: Shape,
    /// Whether it needs no brackets beside an operator.
    pub(super) tight: bool,
    pub(super) column: usize,
}

/// What is known of a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// It is true or false.
    Truth,
    /// It is a number with a fraction.
    Float,
    /// What `re.match` gives: something or nothing.
    Match,
    /// It may be anything.
    Any,
}

impl Cel {
    pub(super) fn tight(text: String, shape: Shape, column: usize) -> Self {
        Self {
            text,
            shape,
            tight: true,
            column,
        }
    }

    /// Returns it as it stands beside an operator.
    pub(super) fn operand(&self) -> String {
        match self.tight {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }

    /// Returns what Python takes its truth for.
    pub(super) fn truth(&self) -> Self {
        let text = match self.shape {
            Shape::Truth | Shape::Match => {
                return Self {
                    text: self.text.clone(),
                    shape: Shape::Truth,
                    ..*self
                };
            }
            Shape::Float | Shape::Any => format!("truthy({})", self.text),
        };
        Self::tight(text, Shape::Truth, self.column)
    }
}

pub(super) fn compared(left: &Cel, operator: &str, right: &Cel) -> String {
    let (l, r) = (left.operand(), right.operand());
    match (operator, left.shape, r.as_str()) {
        // Nothing matched.
        ("==", Shape::Match, "null") => format!("!{l}"),
        ("!=", Shape::Match, "null") => l,
        ("in", ..) => contained(&l, &r),
        ("not in", ..) => format!("!({})", contained(&l, &r)),
        _ => format!("{l} {operator} {r}"),
    }
}

/// In a text, `in` looks for a part of it.
fn contained(item: &str, container: &str) -> String {
    if container.starts_with('[') {
        return format!("{item} in {container}");
    }
    if container.starts_with('"')
        || container.ends_with("Ascii()")
        || container.ends_with(".trim()")
    {
        return format!("{container}.contains({item})");
    }
    format!("type({container}) == string ? {container}.contains({item}) : {item} in {container}")
}

pub(super) fn listed(items: &[Cel]) -> String {
    let items: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
    items.join(", ")
}

/// Writes a text as CEL does.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
