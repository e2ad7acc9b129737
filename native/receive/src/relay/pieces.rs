//! Bytes cut at newlines into pieces of a bounded length.

/// Bytes in a UDP datagram over IPv4, at most.
pub const LONGEST: usize = 65_507;

/// Cuts `data` behind newlines into pieces of at most `most` bytes; a longer line is a piece of its own, a short packet one
/// as it is, even when empty.
pub fn pieces(data: &[u8], most: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let data = rest?;
        let (piece, after) = data.split_at(cut(data, most));
        rest = (!after.is_empty()).then_some(after);
        Some(piece)
    })
}

fn cut(data: &[u8], most: usize) -> usize {
    if data.len() <= most {
        return data.len();
    }
    let newline = |byte: &u8| *byte == b'\n';
    let fitting = data[..most].iter().rposition(newline);
    fitting.or_else(|| data.iter().position(newline)).map_or(data.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_are_whole_lines_and_all_of_the_data() {
        for (data, most, expected) in [
            ("", 3, vec![""]),
            ("abc", 3, vec!["abc"]),
            ("a\nb\nc", 4, vec!["a\nb\n", "c"]),
            ("a\nb\n", 4, vec!["a\nb\n"]),
            ("abcdef\ng\n", 4, vec!["abcdef\n", "g\n"]),
            ("abcdef", 4, vec!["abcdef"]),
        ] {
            let found: Vec<_> = pieces(data.as_bytes(), most).map(String::from_utf8_lossy).collect();
            assert_eq!(found, expected);
        }
    }
}
