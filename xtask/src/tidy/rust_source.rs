//! Rust text, as far as the checks need it: code apart from comments and literals.
//!
//! Invariant: the code has the lines of the text, so a place in one is a place in the other.
//! It is a lexer of comments, strings and characters alone, not a parser.

/// A Rust file, taken apart.
pub(super) struct RustSource {
    /// The lines, with comments and the insides of literals blanked.
    pub(super) code: Vec<String>,
    /// The string literals that stand outside comments.
    pub(super) literals: Vec<Literal>,
    /// For each line: does it belong to an item under `#[cfg(test)]` or `#[test]`?
    tests: Vec<bool>,
}

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// As it is written, without its quotes.
    pub(super) text: String,
}

impl RustSource {
    pub(super) fn parse(text: &str) -> Self {
        let mut lexer = Lexer { rest: text, code: String::new(), literals: Vec::new(), line: 1 };
        lexer.run();
        let code: Vec<_> = lexer.code.lines().map(str::to_owned).collect();
        let tests = test_lines(&code);
        Self { code, literals: lexer.literals, tests }
    }

    /// The lines of code with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }

    /// Does the line `number` (from 1) belong to an item that is for tests only?
    pub(super) fn is_test(&self, number: usize) -> bool {
        self.tests.get(number.wrapping_sub(1)).copied().unwrap_or(false)
    }

    /// The names of the modules in files of their own that are declared under `#[cfg(test)]`.
    pub(super) fn test_modules(&self) -> impl Iterator<Item = &str> {
        self.lines().filter(|(number, _)| self.is_test(*number)).filter_map(|(_, line)| {
            let declaration = line.trim().strip_suffix(';')?;
            let (_, name) = declaration.rsplit_once("mod ")?;
            Some(name.trim())
        })
    }
}

/// Does `code` have `word` with no letter, digit or underscore next to it?
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|it| it.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|it| it.chars().next());
        let joined = |edge: Option<char>, inside: Option<char>| {
            edge.is_some_and(is_part) && inside.is_some_and(is_part)
        };
        !joined(before, word.chars().next()) && !joined(after, word.chars().next_back())
    })
}

/// The items under `#[cfg(test)]`, `#[cfg(all(test…` and `#[test]`: to their last brace or their
/// semicolon.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut tests = vec![false; code.len()];
    let mut depth = 0_usize;
    let mut inside = false;
    for (line, is_test) in code.iter().zip(&mut tests) {
        let trimmed = line.trim_start();
        let opens = ["#[cfg(test)]", "#[cfg(all(test", "#[test]", "#[tokio::test"];
        let begins = !inside && opens.iter().any(|open| trimmed.starts_with(open));
        if begins {
            inside = true;
            depth = 0;
        }
        *is_test = inside;
        if !inside {
            continue;
        }
        let item = if begins { after_attributes(trimmed) } else { trimmed };
        for c in item.chars() {
            match c {
                '{' => depth += 1,
                '}' => {
                    depth = depth.saturating_sub(1);
                    inside &= depth > 0;
                }
                ';' if depth == 0 => inside = false,
                _ => {}
            }
        }
    }
    tests
}

fn after_attributes(line: &str) -> &str {
    line.rsplit_once(']').map_or(line, |(_, item)| item)
}

struct Lexer<'a> {
    rest: &'a str,
    code: String,
    literals: Vec<Literal>,
    line: usize,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.blank(end);
            } else if self.rest.starts_with("/*") {
                let end = block_comment(self.rest);
                self.blank(end);
            } else if let Some(hashes) = raw_string(self.rest).filter(|_| !self.in_word()) {
                self.raw(hashes);
            } else if c == '"' {
                self.string();
            } else if c == '\'' {
                self.character();
            } else {
                self.keep(c.len_utf8());
            }
        }
    }

    fn in_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    fn take(&mut self, length: usize) -> String {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        let taken = taken.to_owned();
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn keep(&mut self, length: usize) {
        let taken = self.take(length);
        self.code.push_str(&taken);
    }

    fn blank(&mut self, length: usize) {
        let taken = self.take(length);
        self.code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    }

    fn literal(&mut self, length: usize) {
        let (line, text) = (self.line, self.rest.get(..length).unwrap_or(self.rest).to_owned());
        self.blank(length);
        self.literals.push(Literal { line, text });
    }

    fn string(&mut self) {
        self.keep(1);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.literal(end.unwrap_or(self.rest.len()));
        self.keep(1);
    }

    fn raw(&mut self, hashes: usize) {
        let fence = "#".repeat(hashes);
        let start = self.rest.find('"').map_or(self.rest.len(), |quote| quote + 1);
        self.keep(start);
        let end = self.rest.find(&format!("\"{fence}")).unwrap_or(self.rest.len());
        self.literal(end);
        self.keep(1 + hashes);
    }

    /// A character, or the tick of a lifetime.
    fn character(&mut self) {
        let mut chars = self.rest.char_indices().skip(1);
        let end = match chars.next() {
            Some((_, '\\')) => chars.skip(1).find(|(_, c)| *c == '\'').map(|(at, _)| at),
            _ => chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at),
        };
        self.keep(1);
        if let Some(end) = end {
            self.blank(end - 1);
            self.keep(1);
        }
    }
}

/// The length of the block comment, which may hold others, at the start of `text`.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The number of hashes of the raw string at the start of `text`.
fn raw_string(text: &str) -> Option<usize> {
    let text = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let after = text.trim_start_matches('#');
    after.starts_with('"').then(|| text.len() - after.len())
}

#[cfg(test)]
mod tests {
    use super::{RustSource, has_word};

    fn check(text: &str, code: &str, literals: &[(usize, &str)]) {
        let source = RustSource::parse(text);
        assert_eq!(source.code.join("\n"), code, "{text}");
        let found: Vec<_> = source.literals.iter().map(|it| (it.line, it.text.as_str())).collect();
        assert_eq!(found, literals, "{text}");
    }

    #[test]
    fn code_is_told_from_comments_and_literals() {
        check("a // b\nc", "a     \nc", &[]);
        check("a /* b /* c */ d\n */ e", "a               \n    e", &[]);
        check("f(\"x // y\\\" z\") // w", "f(\"          \")     ", &[(1, "x // y\\\" z")]);
        check("r#\"a \"b\" c\"#;", "r#\"       \"#;", &[(1, "a \"b\" c")]);
        check("('\"', '\\'', 'é', b'{')", "(' ', '  ', ' ', b' ')", &[]);
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)", &[]);
        check("\"a\nb\"; \"c\"", "\" \n \"; \" \"", &[(1, "a\nb"), (2, "c")]);
        check("\"open", "\"    ", &[(1, "open")]);
        check("for r in \"x\"", "for r in \" \"", &[(1, "x")]);
    }

    fn check_tests(text: &str, lines: &[usize]) {
        let source = RustSource::parse(text);
        let found: Vec<_> =
            source.lines().map(|(number, _)| number).filter(|it| source.is_test(*it)).collect();
        assert_eq!(found, lines, "{text}");
    }

    #[test]
    fn items_for_tests_are_known() {
        check_tests("a\n#[cfg(test)]\nmod tests {\n  f(\"}\");\n}\nb", &[2, 3, 4, 5]);
        check_tests("#[cfg(test)] mod a;\nmod b;", &[1]);
        check_tests("#[cfg(test)]\nmod a;\nmod b;", &[1, 2]);
        check_tests("#[test]\nfn t() {\n}\nfn f() {}", &[1, 2, 3]);
        check_tests("#[tokio::test(x = 2)]\nasync fn t() { g(); }\nfn f() {}", &[1, 2]);
        check_tests("mod tests {\n}", &[]);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("a.sleep(1)", "sleep("));
        assert!(has_word("HashMap::new()", "HashMap"));
        assert!(!has_word("MyHashMap::new()", "HashMap"));
        assert!(!has_word("IndexHashMaps", "HashMap"));
        assert!(!has_word("pg_sleep(1)", "sleep("));
    }
}
