//! Finding a table in what was downloaded: a folder, a CSV, a zip, or a zip within a zip; read as a stream,
//! within limits, so that no archive can fill memory or disk.

use super::error::DatasetError;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

/// How much an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one entry, unpacked.
    pub entry_bytes: u64,
    /// Bytes of all entries that are read, unpacked.
    pub total_bytes: u64,
    /// Unpacked bytes per packed byte, of an entry...
    pub ratio: u64,
    /// ... that has unpacked to more than this.
    pub ratio_from_bytes: u64,
    /// Entries of one archive.
    pub entries: usize,
}

impl Default for Limits {
    /// Room for the most rows a dataset may have. Tables of pixels pack to about a third; 100 times less is
    /// no table.
    fn default() -> Self {
        Self {
            entry_bytes: 8 << 30,
            total_bytes: 10 << 30,
            ratio: 100,
            ratio_from_bytes: 16 << 20,
            entries: 1000,
        }
    }
}

/// Between the reader that unpacks and the one that parses.
const BUFFER_BYTES: usize = 1 << 18;

/// Where to look, how far to go, and where a packed inner archive may be laid down for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub path: &'a Path,
    pub scratch: &'a Path,
    pub limits: Limits,
}

impl Source<'_> {
    /// Gives the table called `member` (`training.csv`) to `read`, with the way to it for messages.
    ///
    /// The path may be that CSV itself (whatever it is called), a folder or a zip that has it, or one that
    /// has `training.zip`, which has it. `None` when a folder or an archive has neither.
    pub(super) fn table<T>(
        &self,
        member: &str,
        read: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, DatasetError>,
    ) -> Result<Option<T>, DatasetError> {
        let shown = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned();
        if self.path.is_dir() {
            for name in [member.to_owned(), zip_name(member)] {
                let path = self.path.join(&name);
                if path.is_file() {
                    return Source { path: &path, ..*self }.file(&format!("{shown}/{name}"), member, read);
                }
            }
            return Ok(None);
        }
        self.file(&shown, member, read)
    }

    fn file<T>(
        &self,
        shown: &str,
        member: &str,
        read: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, DatasetError>,
    ) -> Result<Option<T>, DatasetError> {
        let mut file = File::open(self.path).map_err(DatasetError::io("open", self.path))?;
        let mut start = Vec::new();
        Read::by_ref(&mut file)
            .take(4)
            .read_to_end(&mut start)
            .map_err(DatasetError::io("read", self.path))?;
        file.rewind().map_err(DatasetError::io("read", self.path))?;
        let zipped = start.starts_with(b"PK");
        if !zipped && self.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip")) {
            let what = if start.is_empty() { "it is empty" } else { "it is not a zip archive" };
            return Err(DatasetError::input(shown, what));
        }
        if !zipped {
            return read(&mut BufReader::with_capacity(BUFFER_BYTES, file), shown).map(Some);
        }
        let spent = Cell::new(0);
        self.archive(file, shown, member, &spent, true, read)
    }

    /// Looks for the table in an archive, and if `deeper`, in the inner archive named after it.
    fn archive<T>(
        &self,
        mut file: File,
        shown: &str,
        member: &str,
        spent: &Cell<u64>,
        deeper: bool,
        read: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, DatasetError>,
    ) -> Result<Option<T>, DatasetError> {
        let bytes = file.seek(SeekFrom::End(0)).map_err(DatasetError::io("read", self.path))?;
        let section = Section { file, start: 0, length: bytes, at: 0 };
        let mut archive = self.open(section, shown)?;
        if let Some(index) = find(&archive, member) {
            return self.entry(&mut archive, index, &format!("{shown}/{member}"), spent, read).map(Some);
        }
        let inner = zip_name(member);
        let Some(index) = find(&archive, &inner).filter(|_| deeper) else { return Ok(None) };
        let shown = format!("{shown}/{inner}");
        match stored(&mut archive, index, bytes).map_err(|e| zip_error(&shown, &e))? {
            Some((start, length)) => {
                let section = Section { file: archive.into_inner().file, start, length, at: 0 };
                let mut archive = self.open(section, &shown)?;
                let Some(index) = find(&archive, member) else { return Ok(None) };
                self.entry(&mut archive, index, &format!("{shown}/{member}"), spent, read).map(Some)
            }
            None => {
                let mut file =
                    tempfile::tempfile_in(self.scratch).map_err(DatasetError::io("write", self.scratch))?;
                self.entry(&mut archive, index, &shown, spent, |from, shown| {
                    io::copy(from, &mut file).map_err(|e| stream_error(shown, &e))
                })?;
                self.archive(file, &shown, member, spent, false, read)
            }
        }
    }

    fn open(&self, section: Section, shown: &str) -> Result<ZipArchive<Section>, DatasetError> {
        let archive = ZipArchive::new(section).map_err(|e| zip_error(shown, &e))?;
        if archive.len() > self.limits.entries {
            let (is, most) = (archive.len(), self.limits.entries);
            return Err(DatasetError::input(
                shown,
                format!("{is} entries; at most {most} are looked through"),
            ));
        }
        Ok(archive)
    }

    /// Unpacks one entry, counting.
    fn entry<T>(
        &self,
        archive: &mut ZipArchive<Section>,
        index: usize,
        shown: &str,
        spent: &Cell<u64>,
        read: impl FnOnce(&mut dyn BufRead, &str) -> Result<T, DatasetError>,
    ) -> Result<T, DatasetError> {
        let entry = archive.by_index(index).map_err(|e| zip_error(shown, &e))?;
        let packed_bytes = entry.compressed_size();
        let counted = Counted { inner: entry, unpacked: 0, packed_bytes, spent, limits: self.limits };
        read(&mut BufReader::with_capacity(BUFFER_BYTES, counted), shown)
    }
}

/// `training.csv` -> `training.zip`.
fn zip_name(member: &str) -> String {
    format!("{}.zip", member.strip_suffix(".csv").unwrap_or(member))
}

/// The entry with this file name, in whatever folder.
fn find(archive: &ZipArchive<Section>, name: &str) -> Option<usize> {
    (0..archive.len()).find(|index| {
        let Some(Ok(path)) = archive.name_for_index(*index) else { return false };
        let base = path.rsplit(['/', '\\']).next().unwrap_or_default();
        base.eq_ignore_ascii_case(name) && !path.starts_with("__MACOSX/")
    })
}

/// Where an entry's bytes lie, if they lie there as they are.
fn stored(
    archive: &mut ZipArchive<Section>,
    index: usize,
    bytes: u64,
) -> Result<Option<(u64, u64)>, ZipError> {
    let entry = archive.by_index(index)?;
    if entry.compression() != CompressionMethod::Stored {
        return Ok(None);
    }
    let (start, length) = (entry.data_start(), entry.compressed_size());
    let inside = |start: &u64| start.checked_add(length).is_some_and(|end| end <= bytes);
    Ok(start.filter(inside).map(|start| (start, length)))
}

/// A part of a file, as a file of its own.
struct Section {
    file: File,
    start: u64,
    length: u64,
    at: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.seek(SeekFrom::Start(self.start + self.at))?;
        let got = self.file.read(&mut buffer[..want])?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "a place before the start");
        self.at = at.filter(|at| *at <= self.length.max(self.at)).ok_or_else(outside)?;
        Ok(self.at)
    }
}

/// An entry being unpacked; an error when it becomes too large.
struct Counted<'a, R> {
    inner: R,
    unpacked: u64,
    packed_bytes: u64,
    spent: &'a Cell<u64>,
    limits: Limits,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.unpacked += got as u64;
        self.spent.set(self.spent.get().saturating_add(got as u64));
        let Limits { entry_bytes, total_bytes, ratio, ratio_from_bytes, .. } = self.limits;
        let ratio_hit =
            self.unpacked > ratio_from_bytes && self.unpacked / ratio.max(1) > self.packed_bytes.max(1);
        if self.unpacked > entry_bytes || self.spent.get() > total_bytes || ratio_hit {
            let problem = format!(
                "{} bytes packed unpack to {} and more: that is a zip bomb, not a table",
                self.packed_bytes, self.unpacked
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        Ok(got)
    }
}

/// An error while a table is being read.
pub(super) fn stream_error(shown: &str, error: &io::Error) -> DatasetError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => DatasetError::input(shown, error.to_string()),
        _ => DatasetError::input(
            shown,
            format!("cannot be read to its end, it is damaged or cut off ({error})"),
        ),
    }
}

fn zip_error(shown: &str, error: &ZipError) -> DatasetError {
    let problem = match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => "it is encrypted".to_owned(),
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
            format!("it is packed in a way this program cannot read ({error})")
        }
        _ => format!("the zip archive is damaged or cut off; download it again ({error})"),
    };
    DatasetError::input(shown, problem)
}
