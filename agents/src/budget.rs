//! What a run may use: reserved before a call, settled after it, so that no call overshoots.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most tokens one reply may have.
const MAX_OUTPUT_TOKENS: u64 = 8_192;
/// A reply that may have fewer tokens is not worth the call.
const MIN_OUTPUT_TOKENS: u64 = 64;
/// A token has hardly ever fewer bytes of JSON than this, so the estimate is rather too high.
const BYTES_PER_TOKEN: u64 = 3;

/// What one run may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Budgets {
    /// Calls of the model, or answers of a connected client, 1 to 100. Default 10.
    #[schemars(range(min = 1, max = 100))]
    pub max_steps: u32,
    /// Tokens sent and received, 1000 to 10000000. Default 100000.
    #[schemars(range(min = 1_000, max = 10_000_000))]
    pub max_tokens: u64,
    /// Calls of tools, 0 to 200. Default 20.
    #[schemars(range(max = 200))]
    pub max_tool_calls: u32,
    /// Seconds since the run began, 1 to 86400. Default 600.
    #[schemars(range(min = 1, max = 86_400))]
    pub max_seconds: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { max_steps: 10, max_tokens: 100_000, max_tool_calls: 20, max_seconds: 600 }
    }
}

/// The budget that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exceeded {
    /// Calls of the model.
    Steps,
    /// Tokens.
    Tokens,
    /// Calls of tools.
    ToolCalls,
    /// Time.
    Seconds,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "max_steps",
            Self::Tokens => "max_tokens",
            Self::ToolCalls => "max_tool_calls",
            Self::Seconds => "max_seconds",
        })
    }
}

/// What is set aside for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// Tokens in all.
    pub(crate) tokens: u64,
    /// Of these, what the reply may have.
    pub(crate) output: u32,
}

/// What a run has used so far.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    budgets: Budgets,
    steps: u32,
    tokens: u64,
    tool_calls: u32,
    reserved: u64,
}

impl Ledger {
    pub(crate) fn new(budgets: Budgets) -> Self {
        Self { budgets, steps: 0, tokens: 0, tool_calls: 0, reserved: 0 }
    }

    /// Sets aside what a call of `bytes` may use.
    pub(crate) fn reserve(&mut self, bytes: usize, elapsed: u64) -> Result<Reservation, Exceeded> {
        if self.steps >= self.budgets.max_steps {
            return Err(Exceeded::Steps);
        }
        if elapsed >= u64::from(self.budgets.max_seconds) {
            return Err(Exceeded::Seconds);
        }
        let input = u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN);
        let left = self.budgets.max_tokens.saturating_sub(self.tokens).saturating_sub(input);
        if left < MIN_OUTPUT_TOKENS {
            return Err(Exceeded::Tokens);
        }
        let output = left.min(MAX_OUTPUT_TOKENS);
        self.steps += 1;
        self.reserved = input.saturating_add(output);
        let output = u32::try_from(output).unwrap_or(u32::MAX);
        Ok(Reservation { tokens: self.reserved, output })
    }

    /// Books what the call really used; nobody knowing means all that was set aside.
    pub(crate) fn settle(&mut self, used: Option<u64>) {
        let used = used.unwrap_or(self.reserved);
        self.tokens = self.tokens.saturating_add(used);
        self.reserved = 0;
    }

    /// Sets aside `calls` tool calls.
    pub(crate) fn reserve_tools(&mut self, calls: usize, elapsed: u64) -> Result<(), Exceeded> {
        if elapsed >= u64::from(self.budgets.max_seconds) {
            return Err(Exceeded::Seconds);
        }
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let total = self.tool_calls.saturating_add(calls);
        if total > self.budgets.max_tool_calls {
            return Err(Exceeded::ToolCalls);
        }
        self.tool_calls = total;
        Ok(())
    }
}
