//! How many passed and failed, and reading that from what the test runners print.

use std::fmt;
use std::ops::AddAssign;

/// A number of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) const PASS: Self = Self { passed: 1, failed: 0 };
    pub(crate) const FAIL: Self = Self { passed: 0, failed: 1 };

    /// One result.
    pub(crate) const fn of(passed: bool) -> Self {
        if passed { Self::PASS } else { Self::FAIL }
    }

    /// Adds what a line of a test runner reports; lines that report nothing add nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim();
        let results = if line.starts_with("Summary [") {
            line.split_once(" run: ").map(|(_, results)| results)
        } else {
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")).map(|it| it.1)
        };
        for result in results.into_iter().flat_map(|it| it.split([',', ';'])) {
            let Some((number, what)) = result.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what.split(" (").next().unwrap_or(what) {
                "passed" => self.passed += number,
                "failed" | "timed out" | "exec failed" => self.failed += number,
                _ => {}
            }
        }
    }

    /// Adds what `N passed, N failed` reports; other lines report nothing.
    pub(crate) fn read_closing(&mut self, line: &str) {
        let numbers = line.trim().strip_suffix(" failed").and_then(|it| it.split_once(" passed, "));
        let Some((passed, failed)) = numbers else { return };
        if let (Ok(passed), Ok(failed)) = (passed.parse::<usize>(), failed.parse::<usize>()) {
            *self += Self { passed, failed };
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn check(line: &str, passed: usize, failed: usize) {
        let mut tally = Tally::default();
        tally.read(line);
        assert_eq!(tally, Tally { passed, failed }, "{line}");
    }

    #[test]
    fn a_closing_line_is_read_and_nothing_that_looks_like_it() {
        let check = |line: &str, passed, failed| {
            let mut tally = Tally::default();
            tally.read_closing(line);
            assert_eq!(tally, Tally { passed, failed }, "{line}");
        };
        check("13 passed, 2 failed", 13, 2);
        check("order.bpmn: ok", 0, 0);
        check("a.bpmn: 1 passed, 1 failed", 0, 0);
        check("1 passed, 1 failed, 3 skipped", 0, 0);
    }

    #[test]
    fn results_are_read_from_the_lines_of_both_runners() {
        check("     Summary [   0.018s] 1 test run: 1 passed, 0 skipped", 1, 0);
        check("     Summary [   9.018s] 30/40 tests run: 27 passed, 3 failed, 0 skipped", 27, 3);
        check(
            "Summary [ 1s] 9 tests run: 5 passed (1 slow, 2 leaky), 1 failed, 2 timed out, \
             1 exec failed, 7 skipped",
            5,
            4,
        );
        check("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out", 12, 0);
        check("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured", 1, 2);
        check("        PASS [   0.011s] flowmaster-store a_case", 0, 0);
        check("this Summary [ talks of 3 tests run: 3 failed", 0, 0);
    }
}
