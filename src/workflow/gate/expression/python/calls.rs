//! Calls, and the shapes that look like calls.

use super::{
    Unknown,
    cel::{Cel, Shape, quoted},
    lexer::Kind,
    words::{Parsed, Parser},
};

impl Parser<'_> {
    pub(super) fn method(&mut self, value: &Cel) -> Parsed {
        let Kind::Name(name) = self.kind().clone() else {
            return Err(self.unknown());
        };
        let unknown = self.unknown();
        self.at += 1;
        if !self.take("(") {
            return Err(unknown);
        }
        let args = self.arguments(")")?;
        let texts: Vec<_> = args.iter().map(|arg| arg.text.as_str()).collect();
        let column = value.column;
        let of = value.operand();
        let (text, shape) = match (name.as_str(), texts.as_slice()) {
            ("get", [key]) => (format!("({key} in {of} ? {of}[{key}] : null)"), Shape::Any),
            ("get", [key, other]) => (
                format!("({key} in {of} ? {of}[{key}] : {other})"),
                Shape::Any,
            ),
            ("strip", []) => (format!("{of}.trim()"), Shape::Any),
            ("lower", []) => (format!("{of}.lowerAscii()"), Shape::Any),
            ("upper", []) => (format!("{of}.upperAscii()"), Shape::Any),
            ("startswith", [start]) => (format!("{of}.startsWith({start})"), Shape::Truth),
            ("endswith", [end]) => (format!("{of}.endsWith({end})"), Shape::Truth),
            ("keys", []) => (of, Shape::Any),
            _ => return Err(unknown),
        };
        Ok(Cel::tight(text, shape, column))
    }

    pub(super) fn named(&mut self, name: &str, column: usize, unknown: Unknown) -> Parsed {
        let cel = |text: String, shape| Ok(Cel::tight(text, shape, column));
        match name {
            "True" => return cel("true".to_owned(), Shape::Truth),
            "False" => return cel("false".to_owned(), Shape::Truth),
            "None" => return cel("null".to_owned(), Shape::Any),
            _ => {}
        }
        let known = self.names.iter().rev().find(|(python, _)| python == name);
        if let Some((_, known)) = known {
            return cel(known.clone(), Shape::Any);
        }
        if name == "re" && self.take(".") {
            return self.regex(column, unknown);
        }
        if !self.take("(") {
            return Err(unknown);
        }
        match name {
            "all" | "any" => return self.generator(name == "all", column),
            "isinstance" => return self.isinstance(column),
            _ => {}
        }
        let args = self.arguments(")")?;
        let [argument] = args.as_slice() else {
            return Err(unknown);
        };
        let of = &argument.text;
        match name {
            "len" => cel(format!("size({of})"), Shape::Any),
            "str" => cel(format!("string({of})"), Shape::Any),
            "int" => cel(format!("int({of})"), Shape::Any),
            "float" => cel(format!("double({of})"), Shape::Float),
            "bool" => Ok(argument.truth()),
            _ => Err(unknown),
        }
    }

    /// `re.match(r'…', x)` and `re.search`, `re.fullmatch`.
    fn regex(&mut self, column: usize, unknown: Unknown) -> Parsed {
        let Kind::Name(name) = self.kind().clone() else {
            return Err(unknown);
        };
        self.at += 1;
        self.expect("(")?;
        let Kind::Text(pattern) = self.kind().clone() else {
            return Err(self.unknown());
        };
        self.at += 1;
        self.expect(",")?;
        let args = self.arguments(")")?;
        let (pattern, [subject]) = (
            match name.as_str() {
                "match" => format!("^(?:{pattern})"),
                "search" => pattern,
                "fullmatch" => format!("^(?:{pattern})$"),
                _ => return Err(unknown),
            },
            args.as_slice(),
        ) else {
            return Err(unknown);
        };
        let text = format!("{}.matches({})", subject.operand(), quoted(&pattern));
        Ok(Cel::tight(text, Shape::Match, column))
    }

    fn isinstance(&mut self, column: usize) -> Parsed {
        let value = self.ternary()?;
        self.expect(",")?;
        let mut kinds = Vec::new();
        let many = self.take("(");
        loop {
            let unknown = self.unknown();
            let Kind::Name(kind) = self.kind().clone() else {
                return Err(unknown);
            };
            self.at += 1;
            let is = |kind: &str| format!("type({}) == {kind}", value.text);
            kinds.push(match kind.as_str() {
                "str" => format!("({})", is("string")),
                // In Python a bool is an int.
                "int" => format!("({} || {})", is("int"), is("bool")),
                "float" => format!("({})", is("double")),
                "bool" => format!("({})", is("bool")),
                "list" => format!("({})", is("list")),
                "dict" => format!("({})", is("map")),
                _ => return Err(unknown),
            });
            if !(many && self.take(",")) || self.is(")") {
                break;
            }
        }
        if many {
            self.expect(")")?;
        }
        self.expect(")")?;
        let text = match kinds.len() {
            1 => kinds.remove(0),
            _ => format!("({})", kinds.join(" || ")),
        };
        Ok(Cel::tight(text, Shape::Truth, column))
    }

    /// `all(x > 1 for x in xs if x)`, or `all(xs)`.
    fn generator(&mut self, all: bool, column: usize) -> Parsed {
        let body = self.at;
        // The variable is named after it is used.
        let Some(name) = self.loop_variable() else {
            let values = self.ternary()?;
            self.expect(")")?;
            let call = if all { "all" } else { "exists" };
            let text = format!("{}.{call}(i, truthy(i))", values.operand());
            return Ok(Cel::tight(text, Shape::Truth, column));
        };
        self.at = body;
        self.names.push((name.clone(), name.clone()));
        let condition = self.ternary()?;
        self.expect_name("for")?;
        self.at += 1;
        self.expect_name("in")?;
        let bound = self.names.pop();
        let values = self.or()?;
        self.names.extend(bound);
        let filter = match self.take_name("if") {
            true => Some(self.or()?.truth().operand()),
            false => None,
        };
        self.names.pop();
        self.expect(")")?;
        let condition = condition.truth();
        let step = match (filter, all) {
            (None, _) => condition.text,
            (Some(filter), true) => format!("!{filter} || {}", condition.operand()),
            (Some(filter), false) => format!("{filter} && {}", condition.operand()),
        };
        let call = if all { "all" } else { "exists" };
        let text = format!("{}.{call}({name}, {step})", values.operand());
        Ok(Cel::tight(text, Shape::Truth, column))
    }

    /// Looks ahead for the `for NAME in` of this bracket.
    fn loop_variable(&self) -> Option<String> {
        let mut depth = 0_usize;
        for (nth, token) in self.tokens[self.at..].iter().enumerate() {
            match &token.kind {
                Kind::Sign("(" | "[" | "{") => depth += 1,
                Kind::Sign(")" | "]" | "}") => depth = depth.checked_sub(1)?,
                Kind::Name(word) if word == "for" && depth == 0 => {
                    return match &self.tokens.get(self.at + nth + 1)?.kind {
                        Kind::Name(name) => Some(name.clone()),
                        _ => None,
                    };
                }
                Kind::End => return None,
                _ => {}
            }
        }
        None
    }

    pub(super) fn arguments(&mut self, end: &'static str) -> Result<Vec<Cel>, Unknown> {
        let mut arguments = Vec::new();
        while !self.take(end) {
            arguments.push(self.ternary()?);
            if !self.take(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(arguments)
    }
}
