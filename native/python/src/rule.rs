//! A rule as Python has it, and as the core takes it.

use nilometer_core::{Action, Kind, Part, Pattern, Profile, Rule};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[derive(FromPyObject)]
enum PyPart {
    Group(usize),
    Text(String),
}

impl From<PyPart> for Part {
    fn from(part: PyPart) -> Self {
        match part {
            PyPart::Group(number) => Self::Group(number),
            PyPart::Text(text) => Self::Text(text),
        }
    }
}

/// The attributes of `nilometer.ingest.kernel.Rule`.
#[derive(FromPyObject)]
pub struct PyRule {
    pattern: String,
    kind: String,
    with_tags: Vec<(String, String)>,
    action: String,
    rename: Option<Vec<PyPart>>,
    escape: bool,
    tags: Vec<(String, Vec<PyPart>)>,
    remove_tags: Vec<String>,
    honor_tags: bool,
    scale: f64,
    sample: f64,
    percentiles: Option<Vec<f64>>,
    histogram: Option<Vec<f64>>,
    cumulative: Option<bool>,
    sketch: Option<bool>,
    statistics: Option<Vec<String>>,
    expire: Option<u32>,
    every: u32,
}

impl PyRule {
    pub fn compile(self) -> PyResult<Rule> {
        let pattern = Pattern::new(&self.pattern)
            .map_err(|error| PyValueError::new_err(format!("rule {:?}: {error}", self.pattern)))?;
        Ok(Rule {
            pattern,
            kind: Kind::ALL.into_iter().find(|kind| kind.name() == self.kind),
            with_tags: self.with_tags,
            action: match self.action.as_str() {
                "drop" => Action::Drop,
                "keep" => Action::Keep,
                _ => Action::Map,
            },
            rename: self.rename.map(parts),
            tags: self.tags.into_iter().map(|(name, value)| (name, parts(value))).collect(),
            remove_tags: self.remove_tags,
            honor_tags: self.honor_tags,
            escape: self.escape,
            scale: self.scale,
            sample: self.sample,
            profile: Profile {
                percentiles: self.percentiles,
                histogram: self.histogram,
                cumulative: self.cumulative,
                sketch: self.sketch,
                statistics: self.statistics,
                expire: self.expire,
                every: self.every,
            },
        })
    }
}

fn parts(template: Vec<PyPart>) -> Vec<Part> {
    template.into_iter().map(Part::from).collect()
}
