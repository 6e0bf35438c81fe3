//! Figures, printed as they come and written as JSON at the end.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

/// The figures of a run, by name.
#[derive(Default)]
pub(crate) struct Report(Map<String, Value>);

impl Report {
    /// Prints and keeps a figure.
    pub(crate) fn add(&mut self, name: &str, figure: f64) -> anyhow::Result<()> {
        let rounded = (figure * 1_000.0).round() / 1_000.0;
        writeln!(std::io::stdout(), "{name:<44} {rounded}")?;
        self.0.insert(name.to_owned(), Value::from(rounded));
        Ok(())
    }

    /// A figure of this run.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64)
    }

    /// Writes all figures.
    pub(crate) fn write(self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, serde_json::to_vec_pretty(&Value::Object(self.0))?)?;
        writeln!(std::io::stdout(), "written to {}", path.display())?;
        Ok(())
    }
}

/// The value below which `share` of the sorted `values` lie.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let place = (values.len().saturating_sub(1)) as f64 * share;
    values.get(place.round() as usize).copied().unwrap_or_default()
}
