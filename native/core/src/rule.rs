//! Rules by which keys are dropped, renamed, re-tagged, scaled, sampled, and computed otherwise than the rest.
//!
//! Rules:
//!
//! * The first rule that fits a series is the only one. Where a rule says to keep, what no rule fits is dropped.
//! * Patterns and templates arrive as both kernels know them: globs and prefixes are regular expressions already, templates
//!   are in parts. A pattern is searched for in the name, which ends at the first `;`.

mod dice;
mod routes;
mod routing;
mod tags;

pub(crate) use dice::Dice;
pub(crate) use routes::{LONGEST, Route, Routes};
pub(crate) use routing::{Routing, Target, Verdict};

use crate::aggregates::Kind;
use regex::Regex;

/// A regular expression. Two are equal when their texts are.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// # Errors
    ///
    /// What is wrong with the expression.
    pub fn new(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self).map_err(|error| error.to_string())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// A part of a template: a text, or what a group of the pattern caught (0 is all that it matched).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Group(usize),
}

/// What to do with a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Map,
    Drop,
    /// As `Map`; what no rule fits is dropped.
    Keep,
}

/// How a series is computed and kept, where that is not as for all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pub percentiles: Option<Vec<f64>>,
    /// Upper bounds of bins.
    pub histogram: Option<Vec<f64>>,
    pub cumulative: Option<bool>,
    pub sketch: Option<bool>,
    pub statistics: Option<Vec<String>>,
    /// In how many flushes a series is reported after its last update; 0: for ever.
    pub expire: Option<u32>,
    /// Flush only every so many windows, together; 0 is 1.
    pub every: u32,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub pattern: Pattern,
    /// The kind that it is for; none: all.
    pub kind: Option<Kind>,
    /// Tags that the series must have; the value `*` stands for any.
    pub with_tags: Vec<(String, String)>,
    pub action: Action,
    pub rename: Option<Vec<Part>>,
    pub tags: Vec<(String, Vec<Part>)>,
    /// Tags to remove; `*` stands for all.
    pub remove_tags: Vec<String>,
    /// Tags that the series has already are left as they are.
    pub honor_tags: bool,
    /// Turn the new name into one that Prometheus takes.
    pub escape: bool,
    pub scale: f64,
    /// The fraction of counters' and timers' values that is kept; what is kept weighs the more.
    pub sample: f64,
    pub profile: Profile,
}
