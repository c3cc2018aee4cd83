//! Where a map failed: jq knows no places at run time, so that a map that failed is run once more with its places in it.
//!
//! Every call, access and calculation of the map is wrapped as `. as $in | try … catch at(line; $in)`; the innermost that
//! fails says its line and its input, and the others pass that on. A map that catches errors itself may end in another
//! way then: what is found counts only where the error is the same as before.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::path::{Opt, Part, Path};
use jaq_core::{Compiler, Ctx, Vars};
use jaq_json::{Val, read};
use vigie_model::json::shorten;

use super::{Kind, definitions, error_text, functions};

/// What every wrapped term says of its error. The keys are in no error that a map makes by chance.
const AT: &str = r#"def __at($line; $in):
    if type == "object" and has("\u0000line") then error
    else error({"\u0000line": $line, "\u0000in": $in, "\u0000said": .}) end;"#;
/// The map as one definition.
const HEAD: &str = "def __map: ";
const INPUT: &str = "$__in";

/// Where a map fails on an input, and on what, if it fails with this text: `LINE: TEXT; the input was VALUE`.
pub(super) fn locate(map: &str, input: &[u8], text: &str) -> Option<String> {
    let code = format!("{HEAD}{map}\n;");
    let lines: Vec<String> = (1..=map.lines().count().max(1)).map(|line| line.to_string()).collect();
    let source = Source { code: &code, lines: &lines };
    let own = load::parse(&code, |parser| parser.defs())?;
    let own: Vec<Def<&str>> = own.into_iter().map(|def| source.definition(def)).collect();
    let at = load::parse(AT, |parser| parser.defs())?;
    let arena = Arena::default();
    let loader = Loader::new(definitions().ok()?.into_iter().chain(at).chain(own));
    let modules = loader.load(&arena, File { code: "__map", path: () }).ok()?;
    let filter = Compiler::default().with_funs(functions()).compile(modules).ok()?;
    let context = Ctx::<Kind>::new(&filter.lut, Vars::new([]));
    let input = read::parse_single(input).ok()?;
    let failure = filter.id.run((context, input)).find_map(Result::err)?;
    let Val::Obj(found) = failure.get_err().ok()?.into_val() else { return None };
    let member = |name: &str| found.get(&Val::from(name.to_owned())).cloned();
    let (line, said) = (member("\0line")?, member("\0said")?);
    if error_text(jaq_json::Error::new(said)) != text {
        return None;
    }
    let input = shorten(&member("\0in")?.to_string());
    Some(match text.contains(&input) {
        true => format!("{line}: {text}"),
        false => format!("{line}: {text}; the input was {input}"),
    })
}

struct Source<'s> {
    code: &'s str,
    lines: &'s [String],
}

impl<'s> Source<'s> {
    /// The line of a part of the map's text.
    fn line(&self, part: &str) -> Option<&'s str> {
        let start = (part.as_ptr() as usize).checked_sub(self.code.as_ptr() as usize)?;
        let before = self.code.get(..start)?;
        self.lines.get(before.matches('\n').count()).map(String::as_str)
    }

    fn definition(&self, def: Def<&'s str>) -> Def<&'s str> {
        Def { name: def.name, args: def.args, body: self.term(def.body) }
    }

    fn boxed(&self, term: Term<&'s str>) -> Box<Term<&'s str>> {
        Box::new(self.term(term))
    }

    /// `. as $in | try TERM catch at(LINE; $in)`
    fn wrapped(&self, term: Term<&'s str>, place: Option<&'s str>) -> Term<&'s str> {
        let Some(line) = place.and_then(|place| self.line(place)) else { return term };
        let at = Term::Call("__at", vec![Term::Num(line), Term::Var(INPUT)]);
        let tried = Term::TryCatch(Box::new(term), Some(Box::new(at)));
        Term::BinOp(Box::new(Term::Id), BinaryOp::Pipe(Some(Pattern::Var(INPUT))), Box::new(tried))
    }

    fn term(&self, term: Term<&'s str>) -> Term<&'s str> {
        let place = first(&term);
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) | Term::Arr(None) => term,
            Term::Str(format, parts) => {
                let part = |part| match part {
                    StrPart::Term(term) => StrPart::Term(self.term(term)),
                    other => other,
                };
                Term::Str(format, parts.into_iter().map(part).collect())
            }
            Term::Arr(Some(inner)) => Term::Arr(Some(self.boxed(*inner))),
            Term::Obj(members) => {
                let member = |(key, value): (_, Option<_>)| (self.term(key), value.map(|value| self.term(value)));
                Term::Obj(members.into_iter().map(member).collect())
            }
            Term::Neg(inner) => self.wrapped(Term::Neg(self.boxed(*inner)), place),
            Term::BinOp(left, op, right) => match op {
                // What is assigned to has to stay a plain path.
                BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                    Term::BinOp(left, op, self.boxed(*right))
                }
                BinaryOp::Math(_) => self.wrapped(Term::BinOp(self.boxed(*left), op, self.boxed(*right)), place),
                _ => Term::BinOp(self.boxed(*left), op, self.boxed(*right)),
            },
            Term::Label(name, inner) => Term::Label(name, self.boxed(*inner)),
            Term::Fold(name, over, pattern, arguments) => {
                let arguments = arguments.into_iter().map(|argument| self.term(argument)).collect();
                Term::Fold(name, self.boxed(*over), pattern, arguments)
            }
            Term::TryCatch(tried, caught) => {
                Term::TryCatch(self.boxed(*tried), caught.map(|caught| self.boxed(*caught)))
            }
            Term::IfThenElse(cases, otherwise) => {
                let case = |(condition, then)| (self.term(condition), self.term(then));
                Term::IfThenElse(cases.into_iter().map(case).collect(), otherwise.map(|term| self.boxed(*term)))
            }
            Term::Def(definitions, inner) => {
                let definitions = definitions.into_iter().map(|def| self.definition(def)).collect();
                Term::Def(definitions, self.boxed(*inner))
            }
            Term::Call(name, arguments) => {
                let arguments = arguments.into_iter().map(|argument| self.term(argument)).collect();
                self.wrapped(Term::Call(name, arguments), Some(name))
            }
            Term::Path(of, path) => self.wrapped(Term::Path(self.boxed(*of), self.path(path)), place),
        }
    }

    fn path(&self, path: Path<Term<&'s str>>) -> Path<Term<&'s str>> {
        let part = |(part, opt): (Part<_>, Opt)| {
            let part = match part {
                Part::Index(index) => Part::Index(self.term(index)),
                Part::Range(from, to) => Part::Range(from.map(|from| self.term(from)), to.map(|to| self.term(to))),
            };
            (part, opt)
        };
        Path(path.0.into_iter().map(part).collect())
    }
}

/// The first part of the map's text that a term holds.
fn first<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Num(text) | Term::Var(text) | Term::Break(text) | Term::Call(text, _) | Term::Label(text, _) => {
            Some(text)
        }
        Term::Str(format, parts) => format.or_else(|| {
            parts.iter().find_map(|part| match part {
                StrPart::Str(text) => Some(*text),
                StrPart::Term(term) => first(term),
                StrPart::Char(_) => None,
            })
        }),
        Term::Arr(inner) => inner.as_deref().and_then(first),
        Term::Obj(members) => members.iter().find_map(|(key, value)| first(key).or_else(|| first(value.as_ref()?))),
        Term::Neg(inner) | Term::TryCatch(inner, _) | Term::Def(_, inner) => first(inner),
        Term::BinOp(left, _, right) => first(left).or_else(|| first(right)),
        Term::Fold(name, ..) => Some(name),
        Term::IfThenElse(cases, _) => {
            cases.iter().find_map(|(condition, then)| first(condition).or_else(|| first(then)))
        }
        Term::Path(of, path) => first(of).or_else(|| {
            path.0.iter().find_map(|(part, _)| match part {
                Part::Index(index) => first(index),
                Part::Range(from, to) => from.as_ref().and_then(first).or_else(|| to.as_ref().and_then(first)),
            })
        }),
        Term::Id | Term::Recurse => None,
    }
}
