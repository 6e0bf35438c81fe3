//! Input that is nearly right: a seed with a few edits, because noise does not get past a parser's
//! first line.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// How many edits an input gets at most.
const MAX_EDITS: usize = 12;
/// The longest stretch that is cut or repeated, in bytes.
const MAX_STRETCH: usize = 200;
/// How often a stretch is repeated at most: enough to nest beyond every limit.
const MAX_REPEATS: usize = 400;

/// Bytes that mean something in one of the languages read here.
const TOKENS: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE x [",
    "&#0;",
    "&amp;",
    "&x;",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "{{",
    "}}",
    "{%",
    "%}",
    "---\n",
    "## user\n",
    ": ",
    "- ",
    "&a ",
    "*a ",
    "|\n",
    "\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "🦀",
    "null",
    "true",
    "-0",
    "1e999",
    "-9223372036854775808",
    "99999999999999999999",
    "0.1",
    "P999999999Y",
    "PT0S",
    "R-1/PT1S",
    "2024-02-30T25:61:61Z",
    "function(x) x",
    "for i in 1..9 return ",
    "some x in ",
    " satisfies ",
    "if ",
    " then ",
    " else ",
    "every ",
    " instance of ",
    "@\"",
    "..",
    "<=",
    "**",
    "xmlns=\"\"",
    "id=\"\"",
    "sourceRef=",
    "zeebe:",
    "bpmn:",
    "isExecutable=\"true\"",
    "__proto__",
    "\\u0000",
    "\\",
];

/// One edit. Places are shares of the length, so that they fit whatever came before.
#[derive(Clone, Debug)]
enum Edit {
    Flip { at: Index, bit: u8 },
    Insert { at: Index, token: &'static str },
    Cut { at: Index, length: usize },
    Repeat { at: Index, length: usize, times: usize },
    Move { from: Index, to: Index, length: usize },
    Truncate { at: Index },
}

/// A seed after some edits.
pub(crate) fn near(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(seeds), vec(edit(), 1..=MAX_EDITS)).prop_map(|(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let length = || 1..=MAX_STRETCH;
    prop_oneof![
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip { at, bit }),
        4 => (at(), select(TOKENS)).prop_map(|(at, token)| Edit::Insert { at, token }),
        3 => (at(), length()).prop_map(|(at, length)| Edit::Cut { at, length }),
        2 => (at(), length(), 1..=MAX_REPEATS)
            .prop_map(|(at, length, times)| Edit::Repeat { at, length, times }),
        3 => (at(), at(), length()).prop_map(|(from, to, length)| Edit::Move { from, to, length }),
        1 => at().prop_map(|at| Edit::Truncate { at }),
    ]
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>) {
        // One more than there are, so that the end can be meant and nothing is no special case.
        let place = |at: Index, bytes: &[u8]| at.index(bytes.len() + 1);
        match self {
            Self::Flip { at, bit } => {
                let at = place(at, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Insert { at, token } => {
                let at = place(at, bytes);
                bytes.splice(at..at, token.bytes());
            }
            Self::Cut { at, length } => {
                let at = place(at, bytes);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Self::Repeat { at, length, times } => {
                let at = place(at, bytes);
                let stretch = stretch(bytes, at, length).repeat(times);
                bytes.splice(at..at, stretch);
            }
            Self::Move { from, to, length } => {
                let from = place(from, bytes);
                let moved = stretch(bytes, from, length).to_vec();
                bytes.drain(from..from + moved.len());
                let to = place(to, bytes);
                bytes.splice(to..to, moved);
            }
            Self::Truncate { at } => {
                let at = place(at, bytes);
                bytes.truncate(at);
            }
        }
    }
}

/// At most `length` bytes from `at` on.
fn stretch(bytes: &[u8], at: usize, length: usize) -> &[u8] {
    bytes.get(at..(at + length).min(bytes.len())).unwrap_or_default()
}
