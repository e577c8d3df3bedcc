//! From Python's words to CEL.

use super::{
    Unknown,
    lexer::{Kind, Token},
};

/// How deep brackets nest; real lambdas have two or three.
const MAX_DEPTH: usize = 20;

/// CEL of a part of the lambda.
struct Cel {
    text: String,
    shape: Shape,
    /// Whether it needs no brackets beside an operator.
    tight: bool,
    column: usize,
}

/// What is known of a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// It is true or false.
    Truth,
    /// It is a number with a fraction.
    Float,
    /// What `re.match` gives: something or nothing.
    Match,
    /// It may be anything.
    Any,
}

pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    /// Python names, and what they are in CEL.
    names: Vec<(String, String)>,
}

type Parsed = Result<Cel, Unknown>;

impl Cel {
    fn tight(text: String, shape: Shape, column: usize) -> Self {
        Self {
            text,
            shape,
            tight: true,
            column,
        }
    }

    /// Returns it as it stands beside an operator.
    fn operand(&self) -> String {
        match self.tight {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }

    /// Returns what Python takes its truth for.
    fn truth(&self) -> Self {
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

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token]) -> Self {
        Self {
            tokens,
            at: 0,
            depth: 0,
            names: Vec::new(),
        }
    }

    /// `lambda x, low: …`: the first is the value, or the evidence if it is named so.
    pub(super) fn lambda(mut self) -> Result<String, Unknown> {
        self.at += 1;
        while let Kind::Name(name) = self.kind().clone() {
            let cel = match (self.names.is_empty(), name.as_str()) {
                (true, "e" | "ev" | "evidence") => "evidence".to_owned(),
                (true, _) => "value".to_owned(),
                (false, name) => format!("params[{}]", quoted(name)),
            };
            self.names.push((name, cel));
            self.at += 1;
            if !self.take(",") {
                break;
            }
        }
        self.expect(":")?;
        let body = self.ternary()?;
        match self.kind() {
            Kind::End => Ok(body.truth().text),
            _ => Err(self.unknown()),
        }
    }

    fn ternary(&mut self) -> Parsed {
        if self.depth == MAX_DEPTH {
            let problem = format!("it nests deeper than {MAX_DEPTH} levels");
            return Err(Unknown {
                column: self.column(),
                problem,
            });
        }
        self.depth += 1;
        let then = self.or()?;
        let parsed = if self.take_name("if") {
            let condition = self.or()?.truth();
            self.expect_name("else")?;
            let otherwise = self.ternary()?;
            let text = format!("({} ? {} : {})", condition.text, then.text, otherwise.text);
            let shape = match (then.shape, otherwise.shape) {
                (Shape::Truth, Shape::Truth) => Shape::Truth,
                _ => Shape::Any,
            };
            Cel::tight(text, shape, then.column)
        } else {
            then
        };
        self.depth -= 1;
        Ok(parsed)
    }

    fn or(&mut self) -> Parsed {
        self.joined("or", "||", Self::and)
    }

    fn and(&mut self) -> Parsed {
        self.joined("and", "&&", Self::not)
    }

    /// `and` and `or` give one of their sides; here only its truth is asked for, so a side that is
    /// meant as a value is refused.
    fn joined(&mut self, word: &str, sign: &str, side: fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = side(self)?;
        while self.take_name(word) {
            let right = side(self)?;
            if right.text.starts_with(['[', '{', '"']) {
                let problem = format!(
                    "`{}` as the value of `{word}` is not understood",
                    &right.text[..1]
                );
                return Err(Unknown {
                    column: right.column,
                    problem,
                });
            }
            let column = left.column;
            let text = format!(
                "({} {sign} {})",
                left.truth().operand(),
                right.truth().operand()
            );
            left = Cel::tight(text, Shape::Truth, column);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed {
        let column = self.column();
        if self.take_name("not") {
            let text = format!("!{}", self.not()?.truth().operand());
            return Ok(Cel::tight(text, Shape::Truth, column));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let first = self.sum()?;
        let column = first.column;
        let mut parts = Vec::new();
        let mut left = first;
        while let Some(operator) = self.operator() {
            let right = self.sum()?;
            parts.push(compared(&left, operator, &right));
            left = right;
        }
        match parts.len() {
            0 => Ok(left),
            1 => Ok(Cel {
                tight: false,
                ..Cel::tight(parts.remove(0), Shape::Truth, column)
            }),
            _ => {
                let all: Vec<_> = parts.iter().map(|part| format!("({part})")).collect();
                let text = format!("({})", all.join(" && "));
                Ok(Cel::tight(text, Shape::Truth, column))
            }
        }
    }

    fn operator(&mut self) -> Option<&'static str> {
        for sign in ["==", "!=", "<=", ">=", "<", ">"] {
            if self.take(sign) {
                return Some(sign);
            }
        }
        if self.take_name("is") {
            return Some(if self.take_name("not") { "!=" } else { "==" });
        }
        if self.take_name("in") {
            return Some("in");
        }
        let not_in = self.is_name("not") && self.names_at(1, "in");
        if not_in {
            self.at += 2;
            return Some("not in");
        }
        None
    }

    fn sum(&mut self) -> Parsed {
        self.arithmetic(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.arithmetic(&["*", "/", "%"], Self::unary)
    }

    fn arithmetic(&mut self, signs: &[&str], operand: fn(&mut Self) -> Parsed) -> Parsed {
        let mut left = operand(self)?;
        while let Some(sign) = signs.iter().find(|sign| self.is(sign)) {
            self.at += 1;
            let right = operand(self)?;
            // Python's division gives a fraction, and its numbers mix.
            let floats = *sign == "/" || [left.shape, right.shape].contains(&Shape::Float);
            let side = |side: &Cel| match floats && side.shape != Shape::Float {
                true => format!("double({})", side.text),
                false => side.operand(),
            };
            let text = format!("({} {sign} {})", side(&left), side(&right));
            let shape = if floats { Shape::Float } else { Shape::Any };
            left = Cel::tight(text, shape, left.column);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let column = self.column();
        if self.take("-") {
            let operand = self.unary()?;
            let text = format!("-{}", operand.operand());
            return Ok(Cel::tight(text, operand.shape, column));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed {
        let mut value = self.atom()?;
        loop {
            if self.take("[") {
                let key = self.ternary()?;
                self.expect("]")?;
                let text = format!("{}[{}]", value.operand(), key.text);
                value = Cel::tight(text, Shape::Any, value.column);
            } else if self.take(".") {
                value = self.method(&value)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn method(&mut self, value: &Cel) -> Parsed {
        let Kind::Name(name) = self.kind().clone() else {
            return Err(self.unknown());
        };
        let unknown = self.unknown();
        self.at += 1;
        self.expect("(").map_err(|_| unknown_copy(&unknown))?;
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

    fn atom(&mut self) -> Parsed {
        let column = self.column();
        let unknown = self.unknown();
        let kind = self.kind().clone();
        self.at += 1;
        let (text, shape) = match kind {
            Kind::Number(number) if number.contains('.') => (number, Shape::Float),
            Kind::Number(number) => (number, Shape::Any),
            Kind::Text(text) => (quoted(&text), Shape::Any),
            Kind::Name(name) => return self.named(&name, column, unknown),
            Kind::Sign("(") => return self.bracketed(column),
            Kind::Sign("[") => {
                let items = self.arguments("]")?;
                (format!("[{}]", listed(&items)), Shape::Any)
            }
            Kind::Sign("{") if self.take("}") => ("{}".to_owned(), Shape::Any),
            Kind::Sign(_) | Kind::End => return Err(unknown),
        };
        Ok(Cel::tight(text, shape, column))
    }

    /// `(x)`, or a tuple.
    fn bracketed(&mut self, column: usize) -> Parsed {
        let first = self.ternary()?;
        if self.take(")") {
            return Ok(Cel { column, ..first });
        }
        self.expect(",")?;
        let mut items = vec![first];
        items.extend(self.arguments(")")?);
        let text = format!("[{}]", listed(&items));
        Ok(Cel::tight(text, Shape::Any, column))
    }

    fn named(&mut self, name: &str, column: usize, unknown: Unknown) -> Parsed {
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

    fn arguments(&mut self, end: &'static str) -> Result<Vec<Cel>, Unknown> {
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

    fn kind(&self) -> &Kind {
        &self.tokens[self.at.min(self.tokens.len() - 1)].kind
    }

    fn column(&self) -> usize {
        self.tokens[self.at.min(self.tokens.len() - 1)].column
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.kind(), Kind::Sign(here) if *here == sign)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Name(here) if here == name)
    }

    fn names_at(&self, ahead: usize, name: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| matches!(&token.kind, Kind::Name(here) if here == name))
    }

    fn take(&mut self, sign: &str) -> bool {
        let is = self.is(sign);
        self.at += usize::from(is);
        is
    }

    fn take_name(&mut self, name: &str) -> bool {
        let is = self.is_name(name);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Unknown> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(self.unknown()),
        }
    }

    fn expect_name(&mut self, name: &str) -> Result<(), Unknown> {
        match self.take_name(name) {
            true => Ok(()),
            false => Err(self.unknown()),
        }
    }

    fn unknown(&self) -> Unknown {
        let what = match self.kind() {
            Kind::Name(word) | Kind::Number(word) => format!("`{word}`"),
            Kind::Text(text) => format!("`{}`", quoted(text)),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::End => "the end".to_owned(),
        };
        let hint = match self.kind() {
            Kind::Name(word) if word == "sum" || word == "max" || word == "min" => {
                "; CEL has none: compare the values one by one, such as with all()"
            }
            Kind::Name(word) if word == "for" => "; CEL writes it x.map(i, …) or x.filter(i, …)",
            _ => "",
        };
        Unknown {
            column: self.column(),
            problem: format!("{what} is not understood here; write the rule in CEL{hint}"),
        }
    }
}

fn unknown_copy(unknown: &Unknown) -> Unknown {
    Unknown {
        column: unknown.column,
        problem: unknown.problem.clone(),
    }
}

fn compared(left: &Cel, operator: &str, right: &Cel) -> String {
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

fn listed(items: &[Cel]) -> String {
    let items: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
    items.join(", ")
}

/// Writes a text as CEL does.
fn quoted(text: &str) -> String {
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
