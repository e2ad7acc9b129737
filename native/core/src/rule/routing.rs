//! Which series a key leads to: all rules, compiled.
//!
//! Rules:
//!
//! * All patterns are looked for at once; only the rule that is found is asked what its groups caught.
//! * A key that comes out is cleaned like any other.
//! * Tags that all series get (static tags) leave alone what a series has of its own.

use super::tags::{self, Tags};
use super::{Action, Part, Rule};
use crate::aggregates::Kind;
use crate::key;
use regex::{Captures, RegexSet, RegexSetBuilder};

/// What all patterns together may take when compiled, in bytes.
const SIZE: usize = 64 << 20;

/// Where the values of a key go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Drop,
    Series(Target),
}

/// The series that a key leads to, and what becomes of its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    /// None: the key itself.
    pub(crate) key: Option<String>,
    pub(crate) scale: f64,
    pub(crate) sample: f64,
    /// The number of the series' profile.
    pub(crate) profile: u32,
}

impl Target {
    const SAME: Self = Self { key: None, scale: 1.0, sample: 1.0, profile: 0 };

    /// Whether values go where they would go without rules, as they are.
    #[allow(clippy::float_cmp, reason = "1 is what no rule changes")]
    pub(crate) fn is_direct(&self) -> bool {
        self.key.is_none() && self.scale == 1.0 && self.sample == 1.0
    }
}

/// All rules, compiled.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    /// Tells one routing from those before.
    pub(crate) generation: u32,
    rules: Vec<Rule>,
    static_tags: Vec<(String, String)>,
    sanitize: bool,
    /// None where together they would be too large: then one by one.
    patterns: Option<RegexSet>,
    /// By rule the number of its profile.
    profiles: Vec<u32>,
    closed: bool,
}

impl Routing {
    pub(crate) fn new(
        generation: u32,
        rules: &[Rule],
        static_tags: &[(String, String)],
        sanitize: bool,
        profiles: Vec<u32>,
    ) -> Self {
        let texts = rules.iter().map(|rule| rule.pattern.0.as_str());
        Self {
            generation,
            patterns: RegexSetBuilder::new(texts).size_limit(SIZE).build().ok(),
            closed: rules.iter().any(|rule| rule.action == Action::Keep),
            rules: rules.to_vec(),
            static_tags: static_tags.to_vec(),
            sanitize,
            profiles,
        }
    }

    /// Whether it would be the same with these.
    pub(crate) fn is(&self, rules: &[Rule], static_tags: &[(String, String)], sanitize: bool) -> bool {
        self.rules == rules && self.static_tags == static_tags && self.sanitize == sanitize
    }

    /// Where the values of a key go, which is clean.
    pub(crate) fn decide(&self, kind: Kind, key: &[u8]) -> Verdict {
        if self.rules.is_empty() && self.static_tags.is_empty() {
            return Verdict::Series(Target::SAME);
        }
        let key = String::from_utf8_lossy(key);
        let (name, tags) = tags::split(&key);
        match self.find(kind, name, tags) {
            None if self.closed => Verdict::Drop,
            None => self.series(Target::SAME, &key, name, Tags::new(tags)),
            Some(place) => self.follow(place, &key),
        }
    }

    /// The first rule that fits.
    fn find(&self, kind: Kind, name: &str, tags: &str) -> Option<usize> {
        let fits = |place: &usize| {
            let rule = &self.rules[*place];
            rule.kind.is_none_or(|wanted| wanted == kind)
                && rule.with_tags.iter().all(|(name, value)| tags::has(tags, name, value))
        };
        if let Some(patterns) = &self.patterns {
            return patterns.matches(name).iter().find(fits);
        }
        (0..self.rules.len()).find(|place| self.rules[*place].pattern.0.is_match(name) && fits(place))
    }

    fn follow(&self, place: usize, key: &str) -> Verdict {
        let rule = &self.rules[place];
        if rule.action == Action::Drop {
            return Verdict::Drop;
        }
        let (name, tags) = tags::split(key);
        let Some(caught) = rule.pattern.0.captures(name) else {
            return Verdict::Drop;
        };
        let mut new = rule.rename.as_ref().map_or_else(|| name.to_owned(), |template| fill(template, &caught));
        if rule.escape {
            new = escape(&new);
        }
        if new.is_empty() && rule.rename.is_some() {
            return Verdict::Drop;
        }
        let target = Target { key: None, scale: rule.scale, sample: rule.sample, profile: self.profiles[place] };
        self.series(target, key, &new, edit(rule, &caught, tags))
    }

    /// The series of a name and tags; `key` is what came.
    fn series(&self, mut target: Target, key: &str, name: &str, mut tags: Tags) -> Verdict {
        for (name, value) in &self.static_tags {
            if !tags.has(name) {
                tags.set(name, value);
            }
        }
        let mut new = tags.key(name);
        if !key::is_kept(new.as_bytes(), self.sanitize) {
            new = key::clean(new.as_bytes(), self.sanitize);
        }
        target.key = (new != key).then_some(new);
        Verdict::Series(target)
    }
}

/// A series' tags as a rule leaves them.
fn edit(rule: &Rule, caught: &Captures, tags: &str) -> Tags {
    let mut tags = Tags::new(tags);
    rule.remove_tags.iter().for_each(|name| tags.remove(name));
    for (name, template) in &rule.tags {
        if !(rule.honor_tags && tags.has(name)) {
            tags.set(name, &fill(template, caught));
        }
    }
    tags
}

fn fill(template: &[Part], caught: &Captures) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Group(number) => caught.get(*number).map_or_else(String::new, |caught| caught.as_str().to_owned()),
    };
    template.iter().map(part).collect()
}

/// A name that Prometheus takes: `_` for what it does not, one for a run of `-`, and one before a digit at the start.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len() + 1);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        escaped.push('_');
    }
    let mut before = '_';
    for character in name.chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            escaped.push(character);
        } else if character != '-' || before != '-' {
            escaped.push('_');
        }
        before = character;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_prometheuss() {
        let cases = [("a.b-c", "a_b_c"), ("1a", "_1a"), ("a--b---c", "a_b_c"), ("a-.-b", "a___b"), ("", "")];
        for (name, escaped) in cases {
            assert_eq!(escape(name), escaped);
        }
    }
}
