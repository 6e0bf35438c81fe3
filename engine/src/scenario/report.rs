//! The outcome of scenarios: for people, and as JUnit XML for continuous integration.

use std::fmt::{self, Write as _};

/// The outcome of some scenarios.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each scenario.
    pub cases: Vec<Case>,
}

/// The outcome of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Name of the scenario.
    pub name: String,
    /// The first thing that was not as it should be.
    pub failure: Option<Difference>,
}

/// Something that was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The step, counted from 1; none before the first and after the last.
    pub step: Option<usize>,
    /// What was looked at, e.g. `waiting`.
    pub what: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
}

impl Difference {
    pub(super) fn of_step(step: Option<usize>, expected: &str, actual: &str) -> Self {
        Self {
            step,
            what: "step".to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "step {step}, ")?,
            None => f.write_str("scenario, ")?,
        }
        write!(f, "{}: expected {}, actual {}", self.what, self.expected, self.actual)
    }
}

impl Report {
    pub(super) fn of(case: Case) -> Self {
        Self { cases: vec![case] }
    }

    /// Adds the cases of another report.
    pub fn extend(&mut self, other: Self) {
        self.cases.extend(other.cases);
    }

    /// How many cases failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }

    /// The report as JUnit XML.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (tests, failures) = (self.cases.len(), self.failed());
        // Writing to a string cannot fail.
        let _ = writeln!(
            xml,
            "<testsuite name=\"scenarios\" tests=\"{tests}\" failures=\"{failures}\">"
        );
        for case in &self.cases {
            let name = escaped(&case.name);
            let _ = match &case.failure {
                None => writeln!(xml, "  <testcase classname=\"scenario\" name=\"{name}\"/>"),
                Some(failure) => writeln!(
                    xml,
                    "  <testcase classname=\"scenario\" name=\"{name}\">\n    \
                     <failure message=\"{}\"/>\n  </testcase>",
                    escaped(&failure.to_string())
                ),
            };
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            match &case.failure {
                None => writeln!(f, "ok    {}", case.name)?,
                Some(failure) => writeln!(f, "FAIL  {}: {failure}", case.name)?,
            }
        }
        let failed = self.failed();
        write!(f, "{} passed, {failed} failed", self.cases.len() - failed)
    }
}

/// Text for an XML attribute. XML 1.0 §2.2 has no place for most control characters.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' => xml.push_str("&#10;"),
            letter if letter.is_control() => xml.push('\u{FFFD}'),
            letter => xml.push(letter),
        }
    }
    xml
}
