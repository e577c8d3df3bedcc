//! An expression that pays for what it does.
//!
//! What the interpreter does between two payments takes a time that the length of the source and
//! the size of what was just paid for bound: each turn of a loop is paid for by [`TICK`], each
//! value that is compared, copied, searched or joined by [`DEEP`] or [`FLAT`], and no other
//! operation takes longer for a larger value. Once the fuel has run out every payment fails, and
//! a failed payment ends its loop: it stands where no operator absorbs it.

use super::{
    compile::MAX_DEPTH,
    functions::{DEEP, FLAT, KNOWN, TICK},
    mentions::Mentions,
};
use crate::workflow::gate::pattern::Pattern;
use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators as op},
};

/// The names of types that a source may name.
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];

/// What is known of a session.
pub(super) const SESSION: [&str; 4] = ["workflow_type", "target_file", "phase", "completed_phases"];

/// A part of an expression that is not evaluated.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) id: u64,
    pub(super) problem: String,
}

/// Makes an expression pay, and says what it reads.
pub(super) fn metered(expr: IdedExpr) -> Result<(IdedExpr, Mentions), Refused> {
    let mut meter = Meter::default();
    let expr = meter.walk(expr)?;
    Ok((expr, meter.mentions))
}

#[derive(Default)]
struct Meter {
    mentions: Mentions,
    /// The variables of the loops around.
    bound: Vec<String>,
    depth: u16,
}

impl Meter {
    fn walk(&mut self, expr: IdedExpr) -> Result<IdedExpr, Refused> {
        let id = expr.id;
        if self.depth == MAX_DEPTH {
            return refused(id, format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let walked = match expr.expr {
            Expr::Literal(literal) => Expr::Literal(literal),
            Expr::Ident(name) => self.ident(id, name)?,
            Expr::Select(mut select) => {
                let field = select.field.as_str();
                match self.is_evidence(&select.operand) {
                    true => self.mention(&mut select.operand, field),
                    false => {
                        self.check_session(id, &select.operand, field)?;
                        *select.operand = self.walk(std::mem::take(&mut *select.operand))?;
                    }
                }
                Expr::Select(select)
            }
            Expr::Call(call) => Expr::Call(self.call(id, call)?),
            Expr::List(mut list) => {
                list.elements = self.paid(list.elements, DEEP)?;
                Expr::List(list)
            }
            Expr::Map(mut map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        entry.key = self.pay(std::mem::take(&mut entry.key), DEEP)?;
                        entry.value = self.pay(std::mem::take(&mut entry.value), DEEP)?;
                    }
                }
                Expr::Map(map)
            }
            Expr::Comprehension(comprehension) => {
                Expr::Comprehension(Box::new(self.comprehension(*comprehension)?))
            }
            Expr::Struct(message) => {
                return refused(id, format!("there is no message `{}`", message.type_name));
            }
            Expr::Unspecified => return refused(id, "it cannot be parsed".to_owned()),
        };
        self.depth -= 1;
        Ok(IdedExpr { id, expr: walked })
    }

    fn ident(&mut self, id: u64, name: String) -> Result<Expr, Refused> {
        let own = name.starts_with('@') || self.bound.contains(&name);
        if own {
            return Ok(Expr::Ident(name));
        }
        match name.as_str() {
            "evidence" | "e" => {
                self.mentions.all = true;
                Ok(Expr::Ident("evidence".to_owned()))
            }
            "value" | "params" | "session" => Ok(Expr::Ident(name)),
            known if TYPES.contains(&known) => Ok(Expr::Ident(name)),
            unknown => {
                let known = "`value`, `params`, `evidence`, `session`";
                refused(id, format!("there is no `{unknown}`, only {known}"))
            }
        }
    }

    fn call(&mut self, id: u64, mut call: CallExpr) -> Result<CallExpr, Refused> {
        let name = call.func_name.as_str();
        match name {
            op::CONDITIONAL
            | op::LOGICAL_AND
            | op::LOGICAL_OR
            | op::LOGICAL_NOT
            | op::NEGATE
            | op::NOT_STRICTLY_FALSE => {
                let args = call.args.into_iter();
                call.args = args.map(|arg| self.walk(arg)).collect::<Result<_, _>>()?;
                return Ok(call);
            }
            op::INDEX => self.index(&mut call)?,
            op::IN => self.contained(&mut call)?,
            _ => {
                let is_operator = name.contains('_') || name.starts_with('@');
                if !is_operator && !KNOWN.contains(&name) {
                    let known = KNOWN.join(", ");
                    return refused(id, format!("there is no function `{name}`, only {known}"));
                }
                if matches!(name, "matches" | "matchesStart") {
                    self.pattern(id, call.args.last())?;
                }
                let cost = match name {
                    "size" | "truthy" | "type" | "dyn" => FLAT,
                    _ => DEEP,
                };
                if let Some(target) = call.target.take() {
                    call.target = Some(Box::new(self.pay(*target, cost)?));
                }
                call.args = self.paid(call.args, cost)?;
            }
        }
        Ok(call)
    }

    fn index(&mut self, call: &mut CallExpr) -> Result<(), Refused> {
        let [container, key] = call.args.as_mut_slice() else {
            return Ok(());
        };
        match (self.is_evidence(container), text_of(key)) {
            (true, Some(field)) => {
                let field = field.to_owned();
                self.mention(container, &field);
            }
            _ => *container = self.walk(std::mem::take(container))?,
        }
        *key = self.pay(std::mem::take(key), FLAT)?;
        Ok(())
    }

    fn contained(&mut self, call: &mut CallExpr) -> Result<(), Refused> {
        let [item, container] = call.args.as_mut_slice() else {
            return Ok(());
        };
        match (self.is_evidence(container), text_of(item)) {
            (true, Some(field)) => {
                let field = field.to_owned();
                self.mention(container, &field);
            }
            // One key is looked up; a list is searched.
            (true, None) => *container = self.walk(std::mem::take(container))?,
            (false, _) => *container = self.pay(std::mem::take(container), DEEP)?,
        }
        *item = self.pay(std::mem::take(item), FLAT)?;
        Ok(())
    }

    /// Patterns are known before an evaluation: none is made up or compiled in a loop.
    fn pattern(&mut self, id: u64, source: Option<&IdedExpr>) -> Result<(), Refused> {
        let Some(source) = source else {
            return refused(id, "it has no pattern".to_owned());
        };
        if let Some(text) = text_of(source) {
            let pattern = Pattern::from(text.to_owned());
            return match pattern.compiled() {
                Ok(_) => {
                    self.mentions.patterns.push(pattern);
                    Ok(())
                }
                Err(why) => refused(source.id, why),
            };
        }
        match &source.expr {
            Expr::Select(select) if self.is_free(&select.operand, &["params"]) => {
                self.mentions.pattern_params.push(select.field.clone());
                Ok(())
            }
            _ => {
                let problem = "a pattern is a text, or a parameter such as `params.pattern`";
                refused(source.id, problem.to_owned())
            }
        }
    }

    fn comprehension(
        &mut self,
        mut looped: ComprehensionExpr,
    ) -> Result<ComprehensionExpr, Refused> {
        // Its items are copied.
        looped.iter_range = self.pay(looped.iter_range, DEEP)?;
        looped.accu_init = self.walk(looped.accu_init)?;
        let appends = appends(&looped);
        self.bound.push(looped.iter_var.clone());
        looped.loop_step = self.walk(looped.loop_step)?;
        looped.loop_cond = self.walk(looped.loop_cond)?;
        looped.result = self.walk(looped.result)?;
        self.bound.pop();
        let steps = count(&looped.loop_step);
        match appends {
            // The interpreter appends in place only where the condition is a literal.
            true => tick_appending(&mut looped.loop_step, steps),
            false => {
                looped.loop_cond =
                    ticked(looped.loop_cond, steps, LiteralValue::Boolean(false.into()))
            }
        }
        Ok(looped)
    }

    fn paid(&mut self, exprs: Vec<IdedExpr>, cost: &str) -> Result<Vec<IdedExpr>, Refused> {
        exprs.into_iter().map(|expr| self.pay(expr, cost)).collect()
    }

    /// Makes the value of `expr` be paid for. A literal is paid for by the length of the source.
    fn pay(&mut self, expr: IdedExpr, cost: &str) -> Result<IdedExpr, Refused> {
        let walked = self.walk(expr)?;
        Ok(match &walked.expr {
            Expr::Literal(_) => walked,
            // What a loop has gathered: see `appends`.
            Expr::Ident(name) if name.starts_with('@') => walked,
            // Their parts are paid for, and the shape of a loop's step is not to change.
            Expr::List(_) | Expr::Map(_) => walked,
            _ => call(cost, vec![walked]),
        })
    }

    fn is_evidence(&self, expr: &IdedExpr) -> bool {
        self.is_free(expr, &["evidence", "e"])
    }

    fn is_free(&self, expr: &IdedExpr, names: &[&str]) -> bool {
        match &expr.expr {
            Expr::Ident(name) => names.contains(&name.as_str()) && !self.bound.contains(name),
            _ => false,
        }
    }

    fn mention(&mut self, evidence: &mut IdedExpr, field: &str) {
        evidence.expr = Expr::Ident("evidence".to_owned());
        self.mentions.fields.insert(field.to_owned());
    }

    fn check_session(&self, id: u64, operand: &IdedExpr, field: &str) -> Result<(), Refused> {
        if self.is_free(operand, &["session"]) && !SESSION.contains(&field) {
            let known = SESSION.join(", ");
            return refused(id, format!("a session has no `{field}`, only {known}"));
        }
        Ok(())
    }
}

fn refused<T>(id: u64, problem: String) -> Result<T, Refused> {
    Err(Refused { id, problem })
}

fn text_of(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// Says whether a loop is one of those of `map` and `filter`, which only append to their result.
fn appends(looped: &ComprehensionExpr) -> bool {
    let adds = |expr: &IdedExpr| match &expr.expr {
        Expr::Call(call) if call.func_name == op::ADD => {
            matches!(call.args.as_slice(), [_, list] if matches!(list.expr, Expr::List(_)))
        }
        _ => false,
    };
    let step = match &looped.loop_step.expr {
        Expr::Call(call) if call.func_name == op::CONDITIONAL => call.args.get(1),
        _ => Some(&looped.loop_step),
    };
    matches!(looped.loop_cond.expr, Expr::Literal(_)) && step.is_some_and(adds)
}

/// Puts the payment for a turn before what is evaluated first in it.
fn tick_appending(step: &mut IdedExpr, steps: i64) {
    let Expr::Call(outer) = &mut step.expr else {
        return;
    };
    if outer.func_name == op::CONDITIONAL {
        if let Some(guard) = outer.args.first_mut() {
            *guard = ticked(
                std::mem::take(guard),
                steps,
                LiteralValue::Boolean(false.into()),
            );
        }
    } else if let Some(Expr::List(list)) = outer.args.get_mut(1).map(|list| &mut list.expr)
        && let Some(item) = list.elements.first_mut()
    {
        *item = ticked(std::mem::take(item), steps, LiteralValue::Null);
    }
}

/// Makes `expr` be evaluated after `steps` were paid for. The condition of `?:` is what no operator
/// absorbs the failure of.
fn ticked(expr: IdedExpr, steps: i64, otherwise: LiteralValue) -> IdedExpr {
    let id = expr.id;
    let literal = |value| IdedExpr {
        id,
        expr: Expr::Literal(value),
    };
    let steps = literal(LiteralValue::Int(steps.into()));
    call(
        op::CONDITIONAL,
        vec![call(TICK, vec![steps]), expr, literal(otherwise)],
    )
}

fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    let id = args.first().map_or(0, |first| first.id);
    let expr = Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    });
    IdedExpr { id, expr }
}

/// Counts the steps of an evaluation without those of the loops in it, which pay for themselves.
fn count(expr: &IdedExpr) -> i64 {
    let inner: i64 = match &expr.expr {
        Expr::Call(call) => {
            let target = call.target.as_deref().map_or(0, count);
            target + call.args.iter().map(count).sum::<i64>()
        }
        Expr::Select(select) => count(&select.operand),
        Expr::List(list) => list.elements.iter().map(count).sum(),
        Expr::Map(map) => map.entries.len() as i64,
        Expr::Comprehension(looped) => count(&looped.iter_range),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => 0,
    };
    1 + inner
}
