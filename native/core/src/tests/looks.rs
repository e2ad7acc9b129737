//! Looks and deletions over several shards.

use super::*;
use crate::{Kind, Peeked};
use std::cell::RefCell;

impl Kernel {
    /// Do something with the master, and with shards by their number.
    fn look<T>(&mut self, work: impl FnOnce(&mut Master, crate::Hold<'_>) -> T) -> T {
        let Self { master, shards } = self;
        let shards = RefCell::new(shards);
        work(master, &|number, work| work(&mut shards.borrow_mut()[number]))
    }

    fn peek(&mut self, kind: Kind) -> Peeked {
        self.look(|master, hold| master.peek(kind, 100, hold))
    }

    fn delete(&mut self, kind: Kind, key: &str) -> bool {
        self.look(|master, hold| master.delete(kind, &[key], hold)) == [true]
    }

    /// The keys of a kind with their values, as `key=value`.
    fn shown(&mut self, kind: Kind) -> String {
        let Peeked { keys, values, .. } = self.peek(kind);
        let pairs = keys.into_iter().zip(values);
        pairs.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn what_several_shards_hold_is_shown_together() {
    let mut kernel = Kernel::new(Rules::default(), 3);
    for _ in 0..2 {
        kernel.feed_to(1, "a:1|c\nb:1|c\ng:5|g\nt:1|ms\ns:x|s\ns:y|s");
        kernel.feed_to(2, "new:1|c\na:2|c\ng:+2|g\nt:2|ms\ns:y|s\ns:z|s");
        kernel.feed_to(0, "a:4|c\ng:-1|g\nt:3|ms");
        assert_eq!(kernel.shown(Kind::Counter), "a=7 b=1 new=1");
        assert_eq!(kernel.shown(Kind::Gauge), "g=6");
        assert_eq!(kernel.peek(Kind::Timer).samples, [[3.0, 1.0, 2.0]]);
        let sets = kernel.peek(Kind::Set);
        assert_eq!((sets.members, sets.values), (vec![vec!["x".to_owned(), "y".into(), "z".into()]], vec![3.0]));
        let lines = kernel.lines();
        assert!(lines.contains(&"counter a count=7".to_owned()) && lines.contains(&"set s count=3".to_owned()));
        assert!(lines.contains(&"gauge g value=6".to_owned()), "{lines:?}");
    }
    assert_eq!(kernel.shown(Kind::Counter), "a=0 b=0 new=0");
}

#[test]
fn a_series_is_deleted_from_all_shards() {
    let mut kernel = Kernel::new(Rules::default(), 2);
    for kind in Kind::ALL {
        let lines = ["a:1|c\nb:1|c", "a:1|ms\nb:1|ms", "a:1|g\nb:1|g", "a:1|s\nb:1|s"][kind as usize];
        for flushed in [false, true] {
            kernel.feed_to(0, lines);
            kernel.feed_to(1, lines);
            if flushed {
                kernel.flush();
                kernel.feed_to(1, lines);
            }
            assert!(kernel.delete(kind, "a") && !kernel.delete(kind, "a"));
            assert_eq!(kernel.peek(kind).keys, ["b"]);
            assert!(kernel.lines().iter().all(|line| !line.contains(" a ")));
            assert!(kernel.delete(kind, "b"));
            assert!(kernel.lines().is_empty());
        }
    }
}

#[test]
fn ids_of_deleted_series_are_used_again_and_mixed_up_with_none() {
    let mut kernel = Kernel::new(Rules { max_series: 4, ..Rules::default() }, 1);
    for round in 0..100 {
        kernel.feed(&format!("c{round}:{round}|c\nt{round}:{round}|ms"));
        assert!(kernel.delete(Kind::Counter, &format!("c{round}")) && kernel.delete(Kind::Timer, &format!("t{round}")));
        kernel.feed(&format!("d{round}:7|c"));
        assert_eq!(kernel.lines(), [format!("counter d{round} rate=7"), format!("counter d{round} count=7")]);
        assert!(kernel.delete(Kind::Counter, &format!("d{round}")));
    }
    assert!(kernel.shards[0].known() <= 8);
}

#[test]
fn names_and_sources_of_all_shards_are_ranked_together() {
    let mut kernel = Kernel::new(Rules::default(), 2);
    kernel.feed_to(0, "a:1|c\nb:1|c\nb:1|c");
    kernel.flush();
    kernel.feed_to(1, "b:1|c\nnew:1|g\nbad");
    kernel.feed_to(0, "new:1|g\nnew:1|g\nnew:1|g\nbad");
    let top = kernel.look(|master, hold| master.top(2, hold));
    let names: Vec<_> = top.names.into_iter().map(|name| (name.key, name.updates)).collect();
    assert_eq!(names, [("new".to_owned(), 4), ("b".to_owned(), 3)]);
    assert_eq!(top.sources, [("peer".to_owned(), 10)]);
    assert_eq!(top.refused.iter().map(|each| each.refused).collect::<Vec<_>>(), [2]);
}
