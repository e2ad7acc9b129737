//! What a line means in its dialect.
//!
//! Rules, the same for all dialects but statsd's own, which is in [`crate::value`]:
//!
//! * A line is UTF-8; a carriage return at its end is not part of it.
//! * `_e{` begins an event, `_sc|` a service check, anything else a metric.
//! * The dialect says which styles of tags in the name are known.

pub(crate) mod metric;
pub(crate) mod name;
pub(crate) mod notice;

use metric::Metric;
use notice::{Check, Fields};

const NOT_UTF8: &str = "not UTF-8";

/// Whose reading of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The marks that begin tags in a name. Nothing at all: lines mean what they mean to statsd/statsd.
    pub(crate) styles: Option<&'static str>,
    /// A gauge with a sign is set rather than moved.
    pub(crate) absolute: bool,
}

impl Dialect {
    pub const STATSD: Self = Self { styles: None, absolute: false };
    pub const AUTO: Self = Self { styles: Some("[;#,"), absolute: false };
    /// The names of all dialects.
    pub const NAMES: [&'static str; 7] = ["auto", "statsd", "dogstatsd", "graphite", "influx", "librato", "signalfx"];

    /// Finds a dialect by its name, with `/delta` or `/absolute` behind it where gauges are not to be as it has them.
    #[must_use]
    pub fn named(mode: &str) -> Option<Self> {
        let (name, gauges) = mode.split_once('/').map_or((mode, None), |(name, gauges)| (name, Some(gauges)));
        let styles = match name {
            "auto" => Self::AUTO.styles,
            "statsd" => None,
            "dogstatsd" => Some(""),
            "graphite" => Some(";"),
            "influx" => Some(","),
            "librato" => Some("#"),
            "signalfx" => Some("["),
            _ => return None,
        };
        let absolute = match gauges {
            None => name == "dogstatsd",
            Some("delta") => false,
            Some("absolute") => true,
            Some(_) => return None,
        };
        Some(Self { styles, absolute })
    }

    #[inline]
    pub(crate) fn is_statsd(self) -> bool {
        self.styles.is_none()
    }

    /// Drops the end of a line that is not part of it.
    #[must_use]
    pub fn trim_end(self, line: &[u8]) -> &[u8] {
        match line {
            [line @ .., b'\r'] if !self.is_statsd() => line,
            _ => line,
        }
    }
}

/// A line that was read.
#[derive(Debug)]
pub(crate) enum Reading<'a> {
    Metric(Metric<'a>),
    Event(Fields),
    Check(Check<'a>),
}

/// Reads a line in a dialect whose marks for tags are `styles`; says why all of it is bad.
pub(crate) fn read<'a>(line: &'a [u8], styles: &str, absolute: bool) -> Result<Reading<'a>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| NOT_UTF8)?;
    if let Some(event) = line.strip_prefix("_e{") {
        return notice::event(event).map(Reading::Event);
    }
    if let Some(check) = line.strip_prefix("_sc|") {
        return notice::check(check).map(Reading::Check);
    }
    metric::read(line, styles, absolute).map(Reading::Metric)
}
