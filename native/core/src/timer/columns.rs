//! The columns of timers' statistics, made as the rules ask for them.

use crate::aggregates::Column;

/// A column that is being filled; none where the rules do not ask for the statistic.
pub(super) type Place = Option<usize>;

#[derive(Debug)]
pub(super) struct Columns {
    rows: usize,
    wanted: Vec<String>,
    names: Vec<String>,
    values: Vec<Vec<f64>>,
    present: Vec<Vec<u8>>,
}

impl Columns {
    /// No columns yet, for `rows` timers; of the statistics those that are `wanted`, all where none is named.
    pub(super) fn new(rows: usize, wanted: Vec<String>) -> Self {
        Self { rows, wanted, names: Vec::new(), values: Vec::new(), present: Vec::new() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// A column for a statistic, which the setting knows as `word`. The same name twice in `since` is one column.
    pub(super) fn place(&mut self, since: usize, name: String, word: &str) -> Place {
        if !self.wanted.is_empty() && !self.wanted.iter().any(|wanted| wanted == word) {
            return None;
        }
        let there = self.names[since..].iter().position(|other| *other == name);
        Some(there.map_or_else(|| self.push(name), |at| since + at))
    }

    fn push(&mut self, name: String) -> usize {
        self.names.push(name);
        self.values.push(vec![0.0; self.rows]);
        self.present.push(vec![0; self.rows]);
        self.names.len() - 1
    }

    #[inline]
    pub(super) fn set(&mut self, place: Place, row: usize, value: f64) {
        if let Some(place) = place {
            self.values[place][row] = value;
            self.present[place][row] = 1;
        }
    }

    pub(super) fn finish(self) -> Vec<Column> {
        let columns = self.names.into_iter().zip(self.values).zip(self.present);
        columns
            .filter(|(_, present)| present.contains(&1))
            .map(|((name, values), present)| Column { name, values, present: present.contains(&0).then_some(present) })
            .collect()
    }
}
