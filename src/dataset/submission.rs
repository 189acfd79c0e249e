//! The other end of Kaggle's data: test images in, submission.csv out.

use super::columns::{COLUMNS, COMMON_POINTS, PIXELS, SIDE_PX, index_of, names};
use super::error::DatasetError;
use super::kaggle::IMAGE;
use super::numbers::Numbers;
use super::source::{Limits, Source};
use super::table::Table;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

/// Test images in the order of their table.
#[derive(Debug, Clone, PartialEq)]
pub struct TestImages {
    /// `ImageId` of each.
    pub ids: Vec<u64>,
    /// Grey values, `[ids, 96 * 96]`.
    pub images: Vec<u8>,
    /// Further columns of the table.
    pub numbers: Numbers,
}

impl TestImages {
    /// For each image, whether only the four common points are asked for: it is then of the source whose labels have
    /// no others, and a network that knows sources can tell.
    #[must_use]
    pub fn only_common(&self, asked: &[Asked]) -> Vec<bool> {
        let beyond = asked.iter().filter(|asked| !COMMON_POINTS.contains(&(asked.column / 2)));
        let beyond: HashSet<u64> = beyond.map(|asked| asked.image_id).collect();
        self.ids.iter().map(|id| !beyond.contains(id)).collect()
    }
}

/// One row of IdLookupTable.csv: a number that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// `RowId`.
    pub row_id: u64,
    /// `ImageId`.
    pub image_id: u64,
    /// `FeatureName`, as an index into the 30 columns.
    pub column: usize,
}

/// Reads test images from the bundle's zip, its inner `test.zip`, `test.csv`, or a folder with one of the
/// latter two. `scratch` is a folder that may hold an inner archive for a while; `numbers` are further columns to be read.
///
/// # Errors
/// `Input` naming file, row, line and column of the first mistake (also when two rows have the same
/// `ImageId`); `Io`.
pub fn read_test(path: &Path, scratch: &Path, numbers: &[String]) -> Result<TestImages, DatasetError> {
    let source = Source { path, scratch, limits: Limits::default() };
    let read = source.table("test.csv", |reader, file| {
        let mut table = Table::open(reader, file)?;
        let columns = table.columns(&["ImageId", IMAGE], true)?;
        let numbers = Numbers::of_columns(numbers.to_vec())?;
        let further = numbers.places(&table)?;
        let mut test = TestImages { ids: Vec::new(), images: Vec::new(), numbers };
        let mut seen = HashSet::new();
        let mut image = Box::new([0; PIXELS]);
        while let Some(row) = table.next()? {
            let id = row.whole(columns[0])?;
            if !seen.insert(id) {
                return Err(row.error(Some(columns[0]), format!("{id} is there more than once")));
            }
            row.image(columns[1], &mut image)?;
            test.numbers.read(&row, &further)?;
            test.ids.push(id);
            test.images.extend_from_slice(&image[..]);
        }
        if test.ids.is_empty() {
            return Err(DatasetError::input(file, "it has a header but no rows"));
        }
        Ok(test)
    })?;
    read.ok_or_else(|| {
        let shown = path.display().to_string();
        DatasetError::input(&shown, "there is no test.csv in it (nor a test.zip that has one)")
    })
}

/// Reads IdLookupTable.csv, from the bundle's zip or as a file of its own.
///
/// `None` when the archive or folder has none; a CSV is taken to be the table itself, so do not pass
/// `test.csv` (its header is refused).
///
/// # Errors
/// `Input` for a mistake in it (a `FeatureName` that is no column, a `RowId` twice); `Io`.
pub fn read_lookup(path: &Path, scratch: &Path) -> Result<Option<Vec<Asked>>, DatasetError> {
    let source = Source { path, scratch, limits: Limits::default() };
    source.table("IdLookupTable.csv", |reader, file| {
        let mut table = Table::open(reader, file)?;
        let columns = table.columns(&["RowId", "ImageId", "FeatureName"], true)?;
        let mut asked = Vec::new();
        let mut seen = HashSet::new();
        while let Some(row) = table.next()? {
            let (row_id, image_id) = (row.whole(columns[0])?, row.whole(columns[1])?);
            if !seen.insert(row_id) {
                return Err(row.error(Some(columns[0]), format!("{row_id} is there more than once")));
            }
            let feature = row.text(columns[2])?;
            let column = index_of(feature).ok_or_else(|| {
                row.error(Some(columns[2]), format!("`{feature}` is not one of the 30 label columns"))
            })?;
            asked.push(Asked { row_id, image_id, column });
        }
        if asked.is_empty() {
            return Err(DatasetError::input(file, "it has a header but no rows"));
        }
        Ok(asked)
    })
}

/// The submission as text: `RowId,Location`, one line for each number asked for, in that order.
///
/// Without a lookup table it is a wide table instead, `ImageId` and the 30 columns, one line per image: all
/// that is predicted, for whoever scores it another way. `predictions` are pixels, f32 `[ids, 30]`; what
/// lies outside the image is moved to its edge (0 to 96).
///
/// # Errors
/// `Request` when the predictions are of another number, one is not finite, or an `ImageId` asked for is not
/// among the test images.
pub fn submission(
    test: &TestImages,
    predictions: &[f32],
    lookup: Option<&[Asked]>,
) -> Result<String, DatasetError> {
    let fail = |problem: String| Err(DatasetError::Request(problem));
    if predictions.len() != test.ids.len() * COLUMNS {
        let (is, images) = (predictions.len(), test.ids.len());
        return fail(format!("{is} predictions for {images} images, which want {COLUMNS} each"));
    }
    if let Some(at) = predictions.iter().position(|value| !value.is_finite()) {
        let (id, column) = (test.ids[at / COLUMNS], &names()[at % COLUMNS]);
        return fail(format!("the model predicts {} as {column} of image {id}", predictions[at]));
    }
    let location = |at: usize| predictions[at].clamp(0.0, SIDE_PX as f32);
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(lookup) = lookup {
        let place: HashMap<u64, usize> = test.ids.iter().copied().zip(0..).collect();
        text.push_str("RowId,Location\n");
        for asked in lookup {
            let Some(image) = place.get(&asked.image_id) else {
                let Asked { row_id, image_id, .. } = asked;
                return fail(format!("RowId {row_id} asks for image {image_id}, which is no test image"));
            };
            let _ = writeln!(text, "{},{}", asked.row_id, location(image * COLUMNS + asked.column));
        }
    } else {
        let _ = writeln!(text, "ImageId,{}", names().join(","));
        for (image, id) in test.ids.iter().enumerate() {
            let _ = write!(text, "{id}");
            for column in 0..COLUMNS {
                let _ = write!(text, ",{}", location(image * COLUMNS + column));
            }
            text.push('\n');
        }
    }
    Ok(text)
}

/// Writes the [`submission`] to a file, whole or not at all; gives its number of rows.
///
/// # Errors
/// As [`submission`], and `Io`.
pub fn write_submission(
    path: &Path,
    test: &TestImages,
    predictions: &[f32],
    lookup: Option<&[Asked]>,
) -> Result<usize, DatasetError> {
    let text = submission(test, predictions, lookup)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.as_file().sync_all()?;
        std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(path).map_err(|e| e.error)
    };
    write().map_err(DatasetError::io("write", path))?;
    Ok(text.lines().count() - 1)
}
