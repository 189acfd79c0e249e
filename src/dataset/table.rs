//! Reading a CSV of images row by row: plain cells between commas, each mistake with its place.
//!
//! Hand-written for one reason: a row has 9,216 numbers, and a general CSV reader is several times slower.

use super::columns::{PIXELS, SIDE_PX};
use super::error::{DatasetError, Place};
use super::source::stream_error;
use std::io::{BufRead, Read};

/// Most bytes of one line: an image has at most 36,864, labels some hundred.
const LINE_LIMIT_BYTES: u64 = 1 << 17;
/// Most characters of a wrong cell that are shown.
const SHOWN_CHARS: usize = 24;

/// A table being read: the header is, the rows come one by one.
pub(super) struct Table<'a> {
    reader: &'a mut dyn BufRead,
    file: String,
    header: Vec<String>,
    buffer: Vec<u8>,
    row: u64,
    line: u64,
}

/// One row: its cells, and where it is.
pub(super) struct Row<'a> {
    file: &'a str,
    header: &'a [String],
    cells: Vec<&'a [u8]>,
    row: u64,
    line: u64,
}

impl<'a> Table<'a> {
    /// Reads the header.
    pub(super) fn open(reader: &'a mut dyn BufRead, file: &str) -> Result<Self, DatasetError> {
        let mut table =
            Self { reader, file: file.to_owned(), header: Vec::new(), buffer: Vec::new(), row: 0, line: 0 };
        if !table.read_line()? {
            return Err(DatasetError::input(file, "it is empty"));
        }
        let text = table.buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&table.buffer);
        let not_text = || DatasetError::input(file, "it is neither a zip archive nor a CSV table");
        let text = std::str::from_utf8(text).map_err(|_| not_text())?;
        if text.contains('\0') {
            return Err(not_text());
        }
        table.header = text.split(',').map(|cell| cell.trim().trim_matches('"').to_owned()).collect();
        Ok(table)
    }

    /// The place of each wanted column. Columns beyond those are an error unless `others` may be there.
    pub(super) fn columns(&self, wanted: &[&str], others: bool) -> Result<Vec<usize>, DatasetError> {
        let listed = |names: &[&str]| {
            let shown: Vec<_> = names.iter().take(5).map(|name| format!("`{}`", clip(name))).collect();
            let more = names.len().saturating_sub(5);
            shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
        };
        let fail = |problem: String| Err(DatasetError::input(&self.file, format!("its header {problem}")));
        let places = |name: &str| -> Vec<usize> {
            (0..self.header.len()).filter(|at| self.header[*at] == name).collect()
        };
        let missing: Vec<&str> = wanted.iter().copied().filter(|name| places(name).is_empty()).collect();
        if !missing.is_empty() {
            return fail(format!("has no column {}", listed(&missing)));
        }
        if let Some(twice) = wanted.iter().find(|name| places(name).len() > 1) {
            return fail(format!("has the column `{twice}` more than once"));
        }
        let unknown: Vec<&str> =
            self.header.iter().map(String::as_str).filter(|name| !wanted.contains(name)).collect();
        if !others && !unknown.is_empty() {
            let problem = "has columns that are not known";
            let help = "`--numbers` names those that hold numbers for networks to take";
            return fail(format!("{problem}: {} ({help})", listed(&unknown)));
        }
        Ok(wanted.iter().flat_map(|name| places(name)).collect())
    }

    /// The next row, or `None` at the end. Empty lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, DatasetError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.buffer.is_empty() {
                break;
            }
        }
        self.row += 1;
        // The last cell keeps further commas.
        let cells: Vec<&[u8]> = self.buffer.splitn(self.header.len(), |byte| *byte == b',').collect();
        let found = cells.len();
        let row = Row { file: &self.file, header: &self.header, cells, row: self.row, line: self.line };
        if found < self.header.len() {
            return Err(row.error(None, format!("{found} cells, {} were expected", self.header.len())));
        }
        if let Some(more) = row.surplus() {
            let problem = format!("{more} cells too many: {} were expected", self.header.len());
            return Err(row.error(None, problem));
        }
        Ok(Some(row))
    }

    /// One line without its end into the buffer; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, DatasetError> {
        self.buffer.clear();
        let mut limited = Read::take(&mut *self.reader, LINE_LIMIT_BYTES);
        let got = limited.read_until(b'\n', &mut self.buffer).map_err(|e| stream_error(&self.file, &e))?;
        self.line += 1;
        if got as u64 == LINE_LIMIT_BYTES && !self.buffer.ends_with(b"\n") {
            let place = Place { row: self.row + 1, line: self.line, column: None };
            let problem =
                format!("the line is longer than {LINE_LIMIT_BYTES} bytes: this is not a table of faces");
            let place = (self.line > 1).then_some(place);
            return Err(DatasetError::Input { file: self.file.clone(), place, problem });
        }
        while self.buffer.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            self.buffer.pop();
        }
        Ok(got > 0)
    }
}

impl Row<'_> {
    /// A mistake in this row.
    pub(super) fn error(&self, cell: Option<usize>, problem: impl Into<String>) -> DatasetError {
        let column = cell.and_then(|cell| self.header.get(cell)).cloned();
        let place = Place { row: self.row, line: self.line, column };
        DatasetError::Input { file: self.file.to_owned(), place: Some(place), problem: problem.into() }
    }

    /// How many cells there are too many: the last one holds them.
    fn surplus(&self) -> Option<usize> {
        let last = self.cells.last().copied().unwrap_or_default();
        // Images are long: this must cost next to nothing.
        last.contains(&b',').then(|| last.iter().filter(|byte| **byte == b',').count())
    }

    /// The text of a cell, without quotes and outer spaces.
    pub(super) fn text(&self, cell: usize) -> Result<&str, DatasetError> {
        let bytes = self.cells.get(cell).copied().unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| self.error(Some(cell), "it is not text"))?;
        Ok(text.trim().trim_matches('"').trim())
    }

    /// A whole number from 0.
    pub(super) fn whole(&self, cell: usize) -> Result<u64, DatasetError> {
        let text = self.text(cell)?;
        text.parse()
            .map_err(|_| self.error(Some(cell), format!("`{}` is not a whole number from 0", clip(text))))
    }

    /// A number, NaN where the cell is empty.
    pub(super) fn number(&self, cell: usize) -> Result<f32, DatasetError> {
        let text = self.text(cell)?;
        if text.is_empty() {
            return Ok(f32::NAN);
        }
        let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| self.error(Some(cell), format!("`{}` is not a number", clip(text))))
    }

    /// A coordinate in pixels, NaN where the cell is empty.
    ///
    /// The picture's edges belong to it: 0 to 96 are allowed, both included.
    pub(super) fn coordinate(&self, cell: usize) -> Result<f32, DatasetError> {
        let number = self.number(cell)?;
        if number.is_nan() || (0.0..=SIDE_PX as f32).contains(&number) {
            return Ok(number);
        }
        let problem = format!("{} is outside the image, which spans 0 to {SIDE_PX}", clip(self.text(cell)?));
        Err(self.error(Some(cell), problem))
    }

    /// An image: 9,216 whole numbers from 0 to 255 between spaces.
    pub(super) fn image(&self, cell: usize, image: &mut [u8; PIXELS]) -> Result<(), DatasetError> {
        let bytes = self.cells.get(cell).copied().unwrap_or_default();
        match pixels(bytes, image) {
            Ok(()) => Ok(()),
            Err(mistake) => Err(self.pixel_error(cell, &mistake)),
        }
    }

    fn pixel_error(&self, cell: usize, mistake: &PixelMistake) -> DatasetError {
        let problem = match mistake {
            PixelMistake::Count(count) => {
                format!("{count} pixels, {PIXELS} ({SIDE_PX}x{SIDE_PX}) were expected")
            }
            PixelMistake::Value { pixel, text } => {
                format!("pixel {pixel} is `{}`: a whole number from 0 to 255 was expected", clip(text))
            }
        };
        self.error(Some(cell), problem)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum PixelMistake {
    /// So many numbers.
    Count(usize),
    /// The pixel (from 1) is not a number from 0 to 255.
    Value { pixel: usize, text: String },
}

/// Parses an image. Spaces may be doubled, at either end too; quotes around all of it are let pass.
fn pixels(cell: &[u8], image: &mut [u8; PIXELS]) -> Result<(), PixelMistake> {
    let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
    let (mut count, mut value, mut digits) = (0usize, 0u32, 0u32);
    for (at, byte) in cell.iter().chain(b" ").enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit <= 9 {
            value = value * 10 + digit;
            digits += 1;
            // Four digits are too many also when the first are zeros; the value cannot overflow.
            if digits <= 3 {
                continue;
            }
        } else if *byte == b' ' {
            if digits == 0 {
                continue;
            }
            if value <= 255 {
                if let Some(pixel) = image.get_mut(count) {
                    *pixel = value as u8;
                }
                count += 1;
                (value, digits) = (0, 0);
                continue;
            }
        }
        let start = cell[..at.min(cell.len())].iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
        let word =
            cell[start..].split(|byte| *byte == b' ').find(|word| !word.is_empty()).unwrap_or_default();
        let text = String::from_utf8_lossy(&word[..word.len().min(64)]).into_owned();
        return Err(PixelMistake::Value { pixel: count + 1, text });
    }
    if count == PIXELS { Ok(()) } else { Err(PixelMistake::Count(count)) }
}

/// The beginning of a wrong cell, fit for a terminal.
fn clip(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut clipped: String = text.chars().take(SHOWN_CHARS).map(printable).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        clipped.push_str("...");
    }
    clipped
}
