//! Reads tokens into a tree, by precedence (Expression Language 2.2, §1.14).

use super::Refusal;
use super::token::Token;

/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// An expression.
#[derive(Debug)]
pub(super) enum Tree {
    Name(String),
    Number(String),
    Text(String),
    /// `a.b`
    Member(Box<Self>, String),
    /// `a[b]`
    Index(Box<Self>, Box<Self>),
    /// A call: what is called, and with what.
    Call(Box<Self>, Vec<Self>),
    /// `!a`, `-a`, `empty a`
    Unary(&'static str, Box<Self>),
    Binary(&'static str, Box<Self>, Box<Self>),
    /// `a ? b : c`
    Choice(Box<Self>, Box<Self>, Box<Self>),
}

pub(super) fn parse(tokens: &[Token]) -> Result<Tree, Refusal> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let tree = parser.choice()?;
    match parser.tokens.get(parser.at) {
        None => Ok(tree),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> Refusal {
    let (Token::Name(text) | Token::Number(text) | Token::Text(text)) = token else {
        let Token::Sign(sign) = token else { return Refusal::syntax("it is not understood") };
        return Refusal::syntax(format!("{sign:?} is not expected there"));
    };
    Refusal::syntax(format!("{text:?} is not expected there"))
}

/// How strongly a sign between two operands binds.
fn binding(sign: &str) -> Option<(u8, &'static str)> {
    Some(match sign {
        "||" => (1, "or"),
        "&&" => (2, "and"),
        "==" | "=" | "===" => (3, "="),
        "!=" | "<>" | "!==" => (3, "!="),
        "<" => (4, "<"),
        ">" => (4, ">"),
        "<=" => (4, "<="),
        ">=" => (4, ">="),
        "+" => (5, "+"),
        "-" => (5, "-"),
        "*" => (6, "*"),
        "/" => (6, "/"),
        "%" => (6, "%"),
        _ => return None,
    })
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn demand(&mut self, sign: &str) -> Result<(), Refusal> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(Refusal::syntax(format!("{sign:?} is missing"))),
        }
    }

    fn deeper(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(Refusal::syntax(format!("it is nested more than {MAX_DEPTH} deep"))),
            false => Ok(()),
        }
    }

    fn choice(&mut self) -> Result<Tree, Refusal> {
        self.deeper()?;
        let condition = self.binary(1)?;
        let tree = if self.take("?") {
            let yes = self.choice()?;
            self.demand(":")?;
            let no = self.choice()?;
            Tree::Choice(Box::new(condition), Box::new(yes), Box::new(no))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn binary(&mut self, weakest: u8) -> Result<Tree, Refusal> {
        let mut left = self.unary()?;
        while let Some(Token::Sign(sign)) = self.tokens.get(self.at) {
            let Some((strength, operator)) = binding(sign) else { break };
            if strength < weakest {
                break;
            }
            self.at += 1;
            let right = self.binary(strength + 1)?;
            left = Tree::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Tree, Refusal> {
        for sign in ["!", "-", "empty"] {
            if self.take(sign) {
                self.deeper()?;
                let operand = self.unary()?;
                self.depth -= 1;
                return Ok(Tree::Unary(sign, Box::new(operand)));
            }
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Tree, Refusal> {
        let mut tree = self.primary()?;
        loop {
            if self.take(".") {
                let Some(Token::Name(name)) = self.tokens.get(self.at) else {
                    return Err(Refusal::syntax("a name is missing behind the point"));
                };
                self.at += 1;
                tree = Tree::Member(Box::new(tree), name.clone());
            } else if self.take("[") {
                let index = self.choice()?;
                self.demand("]")?;
                tree = Tree::Index(Box::new(tree), Box::new(index));
            } else if self.take("(") {
                tree = Tree::Call(Box::new(tree), self.arguments()?);
            } else {
                return Ok(tree);
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Tree>, Refusal> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.choice()?);
            if !self.take(",") {
                self.demand(")")?;
                return Ok(arguments);
            }
        }
    }

    fn primary(&mut self) -> Result<Tree, Refusal> {
        let token =
            self.tokens.get(self.at).ok_or_else(|| Refusal::syntax("it is not complete"))?;
        self.at += 1;
        Ok(match token {
            Token::Name(name) => Tree::Name(name.clone()),
            Token::Number(number) => Tree::Number(number.clone()),
            Token::Text(text) => Tree::Text(text.clone()),
            Token::Sign("(") => {
                let tree = self.choice()?;
                self.demand(")")?;
                tree
            }
            sign @ Token::Sign(_) => return Err(unexpected(sign)),
        })
    }
}
