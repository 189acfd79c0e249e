//! How the worker program's `predict` is asked and how it answers: both by files.

use crate::dataset::Inputs;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Images to be predicted, in files of a folder.
#[derive(Debug, Clone)]
pub struct Question {
    images: PathBuf,
    common: PathBuf,
    numbers: PathBuf,
    columns: Vec<String>,
}

impl Question {
    /// Writes what networks may see of some images.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn write(folder: &Path, inputs: &Inputs) -> io::Result<Self> {
        let [images, common, numbers] = ["images", "common", "numbers"].map(|name| folder.join(name));
        fs::write(&images, &inputs.pixels)?;
        fs::write(&common, inputs.common.iter().map(|common| u8::from(*common)).collect::<Vec<u8>>())?;
        let columns = inputs.numbers.names().to_vec();
        if !columns.is_empty() {
            let bytes = inputs.numbers.values().iter().flat_map(|number| number.to_le_bytes());
            fs::write(&numbers, bytes.collect::<Vec<u8>>())?;
        }
        Ok(Self { images, common, numbers, columns })
    }

    /// What the program is started with, to have the network of these weights answer into `out`.
    #[must_use]
    pub fn args(&self, weights: &Path, out: &Path) -> Vec<OsString> {
        let mut args = vec![OsString::from("predict")];
        for (flag, path) in
            [("--weights", weights), ("--images", &self.images), ("--common", &self.common), ("--out", out)]
        {
            args.extend([flag.into(), path.as_os_str().to_owned()]);
        }
        if !self.columns.is_empty() {
            args.extend(["--numbers".into(), self.numbers.as_os_str().to_owned()]);
            // In one word each: a name may begin like a flag.
            args.extend(self.columns.iter().map(|column| format!("--column={column}").into()));
        }
        args
    }
}

/// The answer, f32 in pixels: so many numbers and no others.
///
/// # Errors
/// `InvalidData` where there are more or fewer.
pub fn answer(bytes: &[u8], numbers: usize) -> io::Result<Vec<f32>> {
    let (given, rest) = bytes.as_chunks::<4>();
    if given.len() != numbers || !rest.is_empty() {
        let message = format!("the trainer wrote {} bytes instead of {numbers} numbers", bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(given.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_length_is_none() {
        let bytes: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(answer(&bytes, 2).unwrap(), [1.5, -2.0]);
        assert!(answer(&bytes, 1).is_err() && answer(&bytes, 3).is_err() && answer(&bytes[..7], 2).is_err());
    }
}
