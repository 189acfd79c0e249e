//! The cache file of a dataset: one file, memory-mapped, checked when opened.
//!
//! ```text
//! header   4,096 bytes: magic, version, sizes, four BLAKE3 hashes, zeros
//! images   u8  [rows, 96 * 96]   row by row, 0 black to 255 white
//! labels   f32 [rows, 30]        little-endian, pixels, NaN = missing
//! numbers  f32 [rows, K]         little-endian, NaN = missing; K may be 0
//! groups   u32 [rows]            little-endian, rows with the same image have the same number
//! meta     JSON: column names and provenance
//! ```
//!
//! Opening checks magic, version, sizes and the hashes of everything but the images; [`Dataset::verify`]
//! checks those too. The content hash covers columns, images, labels and numbers, so the same data under another
//! name, or from another file, has the same hash.

use super::columns::{COLUMNS, PIXELS, SIDE_PX};
use super::error::DatasetError;
use super::numbers::Numbers;
use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Version of the file format; 1 of files without numbers beside the images.
pub const VERSION: u32 = 2;
/// Extension of cache files, without the dot.
pub const EXTENSION: &str = "faces";

const MAGIC: [u8; 8] = *b"\x89faces\r\n";
pub(super) const HEADER_BYTES: usize = 4096;
const SIGNED_BYTES: usize = 128;
const LABEL_BYTES: usize = COLUMNS * size_of::<f32>();
const NUMBER_BYTES: u64 = size_of::<f32>() as u64;
const META_LIMIT_BYTES: u32 = 1 << 20;

/// Where a dataset came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// `kaggle` or `synthetic`.
    pub kind: String,
    /// The file's name, or the settings that made it.
    pub detail: String,
}

/// The JSON part of a cache file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    pub provenance: Provenance,
}

/// The fixed part of a cache file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub rows: u64,
    /// Columns of numbers beside the images.
    pub numbers: u32,
    pub meta_bytes: u32,
    pub images: blake3::Hash,
    pub content: blake3::Hash,
    pub tables: blake3::Hash,
}

impl Header {
    /// The header's bytes, hashed and padded.
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&if self.numbers == 0 { 1 } else { VERSION }.to_le_bytes());
        bytes[12..16].copy_from_slice(&(SIDE_PX as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&(COLUMNS as u32).saturating_add(self.numbers).to_le_bytes());
        bytes[20..24].copy_from_slice(&self.meta_bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.rows.to_le_bytes());
        bytes[32..64].copy_from_slice(self.images.as_bytes());
        bytes[64..96].copy_from_slice(self.content.as_bytes());
        bytes[96..128].copy_from_slice(self.tables.as_bytes());
        let hash = blake3::hash(&bytes[..SIGNED_BYTES]);
        bytes[SIGNED_BYTES..SIGNED_BYTES + 32].copy_from_slice(hash.as_bytes());
        bytes
    }

    /// Reads a header; the error says what does not fit.
    fn decode(bytes: &[u8], path: &Path) -> Result<Self, DatasetError> {
        let damaged = |what: &str| DatasetError::Damaged { path: path.to_owned(), what: what.to_owned() };
        if bytes.len() < HEADER_BYTES {
            return Err(damaged(&format!("{} bytes are too few for a dataset", bytes.len())));
        }
        if bytes[..8] != MAGIC {
            return Err(damaged("it does not begin as a dataset does"));
        }
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if !(1..=VERSION).contains(&number(8)) {
            return Err(DatasetError::Version { path: path.to_owned(), found: number(8) });
        }
        let hash = |at: usize| {
            let mut hash = [0; 32];
            hash.copy_from_slice(&bytes[at..at + 32]);
            blake3::Hash::from_bytes(hash)
        };
        if hash(SIGNED_BYTES) != blake3::hash(&bytes[..SIGNED_BYTES]) {
            return Err(damaged("the header's hash does not fit"));
        }
        let numbers = number(16).checked_sub(COLUMNS as u32);
        let numbers = numbers.filter(|_| number(12) == SIDE_PX as u32);
        let numbers = numbers.ok_or_else(|| damaged("images are not 96x96, or labels are not 30"))?;
        if (numbers > 0) != (number(8) > 1) {
            return Err(damaged("its version and its columns do not fit"));
        }
        let rows = u64::from(number(24)) | u64::from(number(28)) << 32;
        Ok(Self {
            rows,
            numbers,
            meta_bytes: number(20),
            images: hash(32),
            content: hash(64),
            tables: hash(96),
        })
    }

    /// The file's size in bytes that this header promises; `None` beyond what a file can be.
    fn file_bytes(&self) -> Option<u64> {
        let row = (PIXELS + LABEL_BYTES + size_of::<u32>()) as u64 + u64::from(self.numbers) * NUMBER_BYTES;
        self.rows.checked_mul(row)?.checked_add(HEADER_BYTES as u64 + u64::from(self.meta_bytes))
    }
}

/// What the content hash is made of: the columns, the hash of the images' bytes, the bytes of labels and numbers.
pub(super) fn content_hash(meta: &Meta, rows: u64, images: &blake3::Hash, tables: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"faces 1").update(&(SIDE_PX as u64).to_le_bytes()).update(&rows.to_le_bytes());
    for column in meta.columns.iter().chain(&meta.numbers) {
        hasher.update(&(column.len() as u64).to_le_bytes()).update(column.as_bytes());
    }
    hasher.update(images.as_bytes()).update(tables);
    hasher.finalize()
}

/// An opened dataset: images mapped, labels and groups in memory. Cheap to open, safe to share.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    name: String,
    map: Mmap,
    header: Header,
    hash: String,
    labels: Vec<f32>,
    numbers: Numbers,
    groups: Vec<u32>,
    meta: Meta,
}

impl Dataset {
    /// Opens a cache file.
    ///
    /// # Errors
    /// `Io` when it cannot be read, `Damaged` when magic, sizes or a hash do not fit, `Version` when a
    /// later version wrote it.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let damaged = |what: &str| DatasetError::Damaged { path: path.to_owned(), what: what.to_owned() };
        let file = File::open(path).map_err(DatasetError::io("open", path))?;
        let length = file.metadata().map_err(DatasetError::io("read", path))?.len();
        if length < HEADER_BYTES as u64 {
            return Err(damaged(&format!("{length} bytes are too few for a dataset")));
        }
        // SAFETY: a cache file is written under another name, made read-only and renamed; nothing of ours
        // changes or shortens it while it is mapped, and only bytes (no references into it) are read.
        let map = unsafe { Mmap::map(&file) }.map_err(DatasetError::io("map", path))?;
        let header = Header::decode(&map, path)?;
        if header.file_bytes() != Some(map.len() as u64) || header.meta_bytes > META_LIMIT_BYTES {
            return Err(damaged("its length is not what its header says (was it cut off?)"));
        }
        if header.rows == 0 || header.rows > u64::from(u32::MAX) {
            return Err(damaged("it has no rows, or more than can be numbered"));
        }
        // The lengths below fit: their sum is the length of a file that is mapped.
        let rows = header.rows as usize;
        let tables = &map[HEADER_BYTES + rows * PIXELS..];
        if blake3::hash(tables) != header.tables {
            return Err(damaged("the hash of its labels does not fit"));
        }
        let columns = header.numbers as usize;
        let (hashed, rest) = tables.split_at(rows * LABEL_BYTES + rows * columns * size_of::<f32>());
        let (label_bytes, number_bytes) = hashed.split_at(rows * LABEL_BYTES);
        let (group_bytes, meta_bytes) = rest.split_at(rows * size_of::<u32>());
        let floats = |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let groups = group_bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        let meta: Meta =
            serde_json::from_slice(meta_bytes).map_err(|e| damaged(&format!("its description: {e}")))?;
        if meta.columns.len() != COLUMNS || meta.numbers.len() != columns {
            return Err(damaged("it does not name as many columns as it has"));
        }
        if content_hash(&meta, header.rows, &header.images, hashed) != header.content {
            return Err(damaged("its content hash does not fit"));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let hash = header.content.to_hex().to_string();
        let (labels, numbers) =
            (floats(label_bytes), Numbers::stored(meta.numbers.clone(), floats(number_bytes)));
        Ok(Self { path: path.to_owned(), name, map, hash, header, labels, numbers, groups, meta })
    }

    /// Hashes the images too.
    ///
    /// # Errors
    /// `Damaged` when they are not those that were written.
    pub fn verify(&self) -> Result<(), DatasetError> {
        if blake3::hash(self.images()) == self.header.images {
            return Ok(());
        }
        let what = "the hash of its images does not fit".to_owned();
        Err(DatasetError::Damaged { path: self.path.clone(), what })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The dataset's name: the file's, without the extension.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of rows, at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.groups.len()
    }

    /// Width and height of every image, in pixels: 96.
    #[must_use]
    pub fn side_px(&self) -> usize {
        SIDE_PX
    }

    /// BLAKE3 of columns, images, labels and numbers, in hex.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Names of the 30 label columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.meta.columns
    }

    /// Where it came from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.meta.provenance
    }

    /// Size of the file in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// All images, u8 `[rows, 96 * 96]`, 0 black to 255 white.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        &self.map[HEADER_BYTES..HEADER_BYTES + self.rows() * PIXELS]
    }

    /// One image, u8 `[96 * 96]`.
    ///
    /// # Panics
    /// When `row` is not below [`Self::rows`].
    #[must_use]
    pub fn image(&self, row: usize) -> &[u8] {
        &self.images()[row * PIXELS..(row + 1) * PIXELS]
    }

    /// All labels, f32 `[rows, 30]`, pixels, NaN = missing.
    #[must_use]
    pub fn all_labels(&self) -> &[f32] {
        &self.labels
    }

    /// One row's labels, f32 `[30]`, pixels, NaN = missing.
    ///
    /// # Panics
    /// When `row` is not below [`Self::rows`].
    #[must_use]
    pub fn labels(&self, row: usize) -> &[f32] {
        &self.labels[row * COLUMNS..(row + 1) * COLUMNS]
    }

    /// Further numbers of each row, which networks may take beside the image.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The group of a row: rows with the same image share it.
    ///
    /// # Panics
    /// When `row` is not below [`Self::rows`].
    #[must_use]
    pub fn group(&self, row: usize) -> u32 {
        self.groups[row]
    }

    /// The group of every row.
    #[must_use]
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// How many different images there are.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups.iter().collect::<std::collections::HashSet<_>>().len()
    }

    /// How many labels are missing, per column.
    #[must_use]
    pub fn missing_per_column(&self) -> [usize; COLUMNS] {
        let mut missing = [0; COLUMNS];
        for labels in self.labels.as_chunks::<COLUMNS>().0 {
            for (count, label) in missing.iter_mut().zip(labels) {
                *count += usize::from(label.is_nan());
            }
        }
        missing
    }
}
