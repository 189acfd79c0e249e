//! Output in lines of a bounded length, whatever the program prints.

/// Longest line that is kept, in bytes. The rest of a longer one is thrown away as it comes.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// One line of output, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What stood there; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// How many bytes of it were thrown away.
    pub cut: usize,
}

/// Puts lines together from pieces of output.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    cut: usize,
}

impl Lines {
    /// The lines that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut complete = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        // What stands after the last end of a line belongs to a line that is still open.
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.push(piece);
            complete.push(self.take());
        }
        self.push(last);
        complete
    }

    /// What stands after the last end of a line, when no more will come.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(MOST_BYTES - self.partial.len());
        self.partial.extend_from_slice(&bytes[..kept]);
        self.cut += bytes.len() - kept;
    }

    fn take(&mut self) -> Line {
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial.clear();
        Line { text, cut: std::mem::take(&mut self.cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_without_end_are_cut_and_forgotten() {
        let mut lines = Lines::default();
        for _ in 0..5 {
            assert_eq!(lines.feed(&vec![b'x'; MOST_BYTES / 2]), []);
        }
        assert_eq!(lines.partial.len(), MOST_BYTES);
        let complete = lines.feed(b"yyy\nnext\nopen");
        assert_eq!((complete[0].text.len(), complete[0].cut), (MOST_BYTES, MOST_BYTES * 3 / 2 + 3));
        assert_eq!(complete[1], Line { text: "next".into(), cut: 0 });
        assert_eq!(lines.finish().unwrap().text, "open");
        assert_eq!(lines.finish(), None);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[ab\n]{0,60}", size in 1..9usize) {
            let mut lines = Lines::default();
            let mut got: Vec<Line> = text.as_bytes().chunks(size).flat_map(|piece| lines.feed(piece)).collect();
            got.extend(lines.finish());
            let got: Vec<String> = got.into_iter().map(|line| line.text).collect();
            let expected: Vec<&str> = text.lines().collect();
            prop_assert_eq!(got, expected);
        }
    }
}
