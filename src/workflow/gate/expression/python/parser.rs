//! From Python's words to CEL.

use super::{
    Unknown,
    cel::{Cel, Shape, compared, listed, quoted},
    lexer::Kind,
    words::{Parsed, Parser},
};

/// How deep brackets nest; real lambdas have two or three.
const MAX_DEPTH: usize = 20;

impl Parser<'_> {
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

    pub(super) fn ternary(&mut self) -> Parsed {
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

    pub(super) fn or(&mut self) -> Parsed {
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
}
