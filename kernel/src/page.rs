//! Lists come in pages with an opaque cursor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageRequest {
    /// How many items at most, 1 to 50. Default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before. Leave out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

impl PageRequest {
    /// The number of items to return.
    ///
    /// # Errors
    /// `invalid_limit` outside 1 to 50.
    pub fn limit(&self) -> Result<usize> {
        match self.limit.unwrap_or(20) {
            limit @ 1..=50 => Ok(limit as usize),
            limit => Err(Error::invalid("invalid_limit", format!("limit {limit} is out of range"))
                .fix("use a limit from 1 to 50 and follow next_cursor")),
        }
    }
}

/// A place in a list: the sort key of the last item seen. Opaque to callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Cursor(pub String);

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` items: the one too many only says that there is more.
    #[must_use]
    pub fn from_overfetched(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(|last| Cursor(key(last))) } else { None };
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_cursor_only_when_there_is_more() {
        let full = Page::from_overfetched(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!((full.items, full.next_cursor), (vec![1, 2], Some(Cursor("2".to_owned()))));
        let last = Page::from_overfetched(vec![1, 2], 2, ToString::to_string);
        assert_eq!(last.next_cursor, None);
    }
}
