//! The prompts that come with the product.

use crate::file::{PromptError, PromptFile};

/// A shipped prompt file.
#[derive(Clone, Copy, Debug)]
pub struct LibraryPrompt {
    /// Path below `library/`.
    pub path: &'static str,
    /// The text of the file.
    pub text: &'static str,
}

/// Every shipped prompt, by path.
#[must_use]
pub const fn library() -> &'static [LibraryPrompt] {
    &[
        LibraryPrompt {
            path: "invoice/extract.prompt.md",
            text: include_str!("../library/invoice/extract.prompt.md"),
        },
        LibraryPrompt {
            path: "invoice/pay.prompt.md",
            text: include_str!("../library/invoice/pay.prompt.md"),
        },
    ]
}

impl LibraryPrompt {
    /// Reads it.
    ///
    /// # Errors
    /// A shipped file that is not a prompt, which a test rules out.
    pub fn parse(&self) -> Result<PromptFile, PromptError> {
        PromptFile::parse(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_prompt_is_sound_and_named_after_its_path() {
        for shipped in library() {
            let prompt = shipped.parse().unwrap();
            assert_eq!(format!("{}.prompt.md", prompt.front.id), shipped.path);
        }
    }
}
