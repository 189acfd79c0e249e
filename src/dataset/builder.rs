//! Writing a cache file: row by row under a temporary name, then renamed. A failure leaves nothing behind.

use super::cache::{Dataset, EXTENSION, HEADER_BYTES, Header, Meta, Provenance, content_hash};
use super::columns::{COLUMNS, PIXELS, names};
use super::error::DatasetError;
use super::numbers::Numbers;
use super::registry::{check_name, folder, path_of};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Most rows a dataset may have: 1.9 GB of images.
pub const MAX_ROWS: u64 = 200_000;

/// What to do when the name is taken by different data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Refuse, and leave the old one.
    Refuse,
    /// Put the new one in its place; who has the old one open keeps it.
    Replace,
}

/// What became of a finished dataset.
#[derive(Debug)]
pub enum Written {
    /// It is there, under a name that was free.
    Created(Dataset),
    /// It took the place of different data.
    Replaced(Dataset),
    /// The very same data was there already; nothing was written.
    Same(Dataset),
}

impl Written {
    /// The dataset, however it came to be there.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        match self {
            Self::Created(dataset) | Self::Replaced(dataset) | Self::Same(dataset) => dataset,
        }
    }
}

/// A dataset being written. Dropped before [`Builder::finish`], it removes what it wrote.
#[derive(Debug)]
pub struct Builder {
    home: PathBuf,
    name: String,
    partial: Partial,
    file: BufWriter<File>,
    images: blake3::Hasher,
    labels: Vec<u8>,
    groups: Vec<u32>,
    group_of: HashMap<[u8; 32], u32>,
}

/// The temporary file; removed when dropped, unless it was renamed.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    done: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.done {
            // Nothing can be done about a failure here; the next builder removes what is left over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Builder {
    /// Starts the dataset `name` under `home`.
    ///
    /// # Errors
    /// `BadName`, or `Io` when the folder cannot be written.
    pub fn create(home: &Path, name: &str) -> Result<Self, DatasetError> {
        check_name(name)?;
        let folder = folder(home);
        fs::create_dir_all(&folder).map_err(DatasetError::io("create", &folder))?;
        let _guard = lock_folder(&folder)?;
        remove_stale(&folder);
        let (path, file) = open_partial(&folder, name)?;
        let partial = Partial { path, done: false };
        // Held for as long as the file is open: it tells a partial file being written from a stale one.
        file.try_lock().map_err(|e| DatasetError::io("lock", &partial.path)(e.into()))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER_BYTES]).map_err(DatasetError::io("write", &partial.path))?;
        Ok(Self {
            home: home.to_owned(),
            name: name.to_owned(),
            partial,
            file,
            images: blake3::Hasher::new(),
            labels: Vec::new(),
            groups: Vec::new(),
            group_of: HashMap::new(),
        })
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.groups.len()
    }

    /// Adds a row: pixels 0 to 255, labels in pixels with NaN = missing.
    ///
    /// # Errors
    /// `Request` beyond [`MAX_ROWS`], `Io` when the disk refuses.
    pub fn push(&mut self, image: &[u8; PIXELS], labels: &[f32; COLUMNS]) -> Result<(), DatasetError> {
        if self.groups.len() as u64 >= MAX_ROWS {
            return Err(DatasetError::Request(format!("a dataset has at most {MAX_ROWS} rows")));
        }
        self.file.write_all(image).map_err(DatasetError::io("write", &self.partial.path))?;
        self.images.update(image);
        for label in labels {
            self.labels.extend_from_slice(&one_nan(*label).to_le_bytes());
        }
        let next = u32::try_from(self.group_of.len()).unwrap_or(u32::MAX);
        self.groups.push(*self.group_of.entry(*blake3::hash(image).as_bytes()).or_insert(next));
        Ok(())
    }

    /// Writes the rest, `numbers` of every row among it, and gives the dataset its name.
    ///
    /// # Errors
    /// `Request` without a row, or where numbers are of other rows; `Taken` when different data has the name and
    /// `if_exists` refuses; `Io`.
    pub fn finish(
        mut self,
        numbers: &Numbers,
        provenance: Provenance,
        if_exists: IfExists,
    ) -> Result<Written, DatasetError> {
        if self.groups.is_empty() {
            return Err(DatasetError::Request("a dataset needs at least one row".to_owned()));
        }
        if numbers.values().len() != self.groups.len() * numbers.names().len() {
            return Err(DatasetError::Request("there are not as many numbers as rows".to_owned()));
        }
        let header = self.write_tables(numbers, provenance)?;
        let path = path_of(&self.home, &self.name);
        let _guard = lock_folder(&folder(&self.home))?;
        let exists = path.try_exists().map_err(DatasetError::io("read", &path))?;
        if exists {
            match Dataset::open(&path) {
                Ok(old) if old.hash() == header.content.to_hex().as_str() && old.verify().is_ok() => {
                    return Ok(Written::Same(old));
                }
                _ if if_exists == IfExists::Refuse => return Err(DatasetError::Taken { name: self.name }),
                _ => {}
            }
        }
        fs::rename(&self.partial.path, &path).map_err(DatasetError::io("rename to", &path))?;
        self.partial.done = true;
        let folder = folder(&self.home);
        File::open(&folder).and_then(|f| f.sync_all()).map_err(DatasetError::io("write", &folder))?;
        let dataset = Dataset::open(&path)?;
        Ok(if exists { Written::Replaced(dataset) } else { Written::Created(dataset) })
    }

    /// Labels, numbers, groups, description and header, down to the disk.
    fn write_tables(&mut self, numbers: &Numbers, provenance: Provenance) -> Result<Header, DatasetError> {
        let meta = Meta { columns: names(), numbers: numbers.names().to_vec(), provenance };
        let mut tables = std::mem::take(&mut self.labels);
        for number in numbers.values() {
            tables.extend_from_slice(&one_nan(*number).to_le_bytes());
        }
        let rows = self.groups.len() as u64;
        let images = self.images.finalize();
        let content = content_hash(&meta, rows, &images, &tables);
        for group in &self.groups {
            tables.extend_from_slice(&group.to_le_bytes());
        }
        let json = serde_json::to_vec(&meta)
            .map_err(|e| DatasetError::Request(format!("cannot describe the dataset: {e}")))?;
        tables.extend_from_slice(&json);
        let meta_bytes = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let columns = u32::try_from(numbers.names().len()).unwrap_or(u32::MAX);
        let header =
            Header { rows, numbers: columns, meta_bytes, images, content, tables: blake3::hash(&tables) };
        let write = |file: &mut BufWriter<File>| {
            file.write_all(&tables)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header.encode())?;
            file.flush()?;
            let mut permissions = file.get_ref().metadata()?.permissions();
            permissions.set_readonly(true);
            file.get_ref().set_permissions(permissions)?;
            file.get_ref().sync_all()
        };
        write(&mut self.file).map_err(DatasetError::io("write", &self.partial.path))?;
        Ok(header)
    }
}

/// A dataset of the same images and labels with other columns of numbers, `[rows, names]`.
///
/// # Errors
/// As [`Builder`].
pub fn with_numbers(
    dataset: &Dataset,
    home: &Path,
    name: &str,
    numbers: &Numbers,
) -> Result<Written, DatasetError> {
    let mut builder = Builder::create(home, name)?;
    for (row, image) in dataset.images().as_chunks::<PIXELS>().0.iter().enumerate() {
        let (labels, _) = dataset.labels(row).as_chunks::<COLUMNS>();
        builder.push(image, &labels[0])?;
    }
    builder.finish(numbers, dataset.provenance().clone(), IfExists::Refuse)
}

/// One NaN for all, so that the same data has the same hash.
fn one_nan(number: f32) -> f32 {
    if number.is_nan() { f32::from_bits(0x7fc0_0000) } else { number }
}

/// A new file in the folder that no dataset and no other builder has.
fn open_partial(folder: &Path, name: &str) -> Result<(PathBuf, File), DatasetError> {
    let mut number = 0;
    loop {
        let path = folder.join(format!(".{name}.{}-{number}.partial", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(e) => return Err(DatasetError::io("create", &path)(e)),
        }
    }
}

/// Held while files of the folder are made, renamed or cleared.
fn lock_folder(folder: &Path) -> Result<File, DatasetError> {
    let path = folder.join(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(DatasetError::io("create", &path))?;
    file.lock().map_err(DatasetError::io("lock", &path))?;
    Ok(file)
}

/// Removes partial files whose writer is gone. The folder's lock must be held.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "partial")
            && File::open(&path).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _ = fs::remove_file(&path);
        }
    }
}

/// The file name of a dataset.
pub(super) fn file_name(name: &str) -> String {
    format!("{name}.{EXTENSION}")
}
