//! Growth without copying: what is ingested never waits for a large table to move.

/// Items in one block.
const SIZE: usize = 1 << BITS;
const BITS: u32 = 10;

/// An array that grows by blocks, on first use of a place. Places never used hold the default.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    blocks: Vec<Box<[T]>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Default> Chunks<T> {
    pub(crate) const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        self.blocks.get((at >> BITS) as usize)?.get(at as usize % SIZE)
    }

    #[inline]
    pub(crate) fn at(&mut self, at: u32) -> &mut T {
        let block = (at >> BITS) as usize;
        if block >= self.blocks.len() {
            self.grow(block);
        }
        &mut self.blocks[block][at as usize % SIZE]
    }

    #[cold]
    fn grow(&mut self, block: usize) {
        self.blocks.resize_with(block + 1, || (0..SIZE).map(|_| T::default()).collect());
    }
}

/// A list that is only appended to and read through, in blocks.
#[derive(Debug)]
pub(crate) struct Log<T> {
    full: Vec<Vec<T>>,
    tail: Vec<T>,
    spare: Vec<Vec<T>>,
}

impl<T: Copy> Log<T> {
    /// Items in one block of a log.
    const BLOCK: usize = 1 << 13;

    pub(crate) const fn new() -> Self {
        Self { full: Vec::new(), tail: Vec::new(), spare: Vec::new() }
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        if self.tail.len() == self.tail.capacity() {
            self.extend();
        }
        self.tail.push(item);
    }

    #[cold]
    fn extend(&mut self) {
        let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(Self::BLOCK));
        let tail = std::mem::replace(&mut self.tail, next);
        if !tail.is_empty() {
            self.full.push(tail);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.tail.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.full.iter().chain(std::iter::once(&self.tail)).flatten().copied()
    }

    /// The items of one block after the other; none behind the last.
    pub(crate) fn block(&self, block: usize) -> Option<&[T]> {
        let tail = (block == self.full.len()).then_some(&self.tail);
        self.full.get(block).or(tail).map(Vec::as_slice)
    }

    /// Empty the log. It keeps the room that it has used since it was last emptied, and lets older room go.
    pub(crate) fn clear(&mut self) {
        self.spare.clear();
        self.tail.clear();
        for mut block in self.full.drain(..) {
            block.clear();
            self.spare.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_what_was_set_and_others_hold_the_default() {
        let mut chunks = Chunks::<u8>::new();
        *chunks.at(5000) = 7;
        assert_eq!(chunks.get(5000), Some(&7));
        assert_eq!(chunks.get(4999), Some(&0));
        assert_eq!(chunks.get(1 << 20), None);
    }

    #[test]
    fn a_log_reads_back_in_order_and_keeps_its_room() {
        let mut log = Log::new();
        for round in 0..3 {
            let many = 20_000 + round;
            (0..many).for_each(|item| log.push(item));
            assert_eq!(log.len(), usize::try_from(many).unwrap());
            assert!(log.iter().eq(0..many));
            log.clear();
            assert_eq!(log.len(), 0);
            assert_eq!(log.spare.len(), 2);
        }
    }
}
