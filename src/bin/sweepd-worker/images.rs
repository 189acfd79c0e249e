//! Images as tensors: taken from a dataset, scaled for a network.

use sweepd::dataset::{Dataset, PIXELS};
use sweepd::model::{SIDE_PX, Scaling};
use tch::{Device, Kind, TchError, Tensor};

/// Largest grey value.
const WHITE: f64 = 255.0;

/// Some images, u8, to be had in batches.
pub struct Images<'a> {
    /// Those to choose from, `[M, 9216]` row-major.
    bytes: &'a [u8],
    /// Which of them, in order.
    rows: Vec<u32>,
    scaling: Scaling,
    device: Device,
    /// On a GPU: all of `rows`, u8 `[rows, 9216]`, so that none travels twice.
    resident: Option<Tensor>,
}

impl<'a> Images<'a> {
    /// The images `rows` of a dataset, to be scaled as said.
    pub fn of_dataset(
        dataset: &'a Dataset,
        rows: Vec<u32>,
        scaling: Scaling,
        device: Device,
    ) -> Result<Self, TchError> {
        let mut images = Self { bytes: dataset.images(), rows, scaling, device, resident: None };
        if device.is_cuda() {
            let all: Vec<i64> = (0..images.rows.len() as i64).collect();
            images.resident = Some(images.gathered(&all)?.f_to_device(device)?);
        }
        Ok(images)
    }

    /// All of these images, u8 `[N, 9216]` row-major, to be scaled as said.
    pub fn of_bytes(bytes: &'a [u8], scaling: Scaling, device: Device) -> Self {
        let rows = (0..u32::try_from(bytes.len() / PIXELS).unwrap_or(u32::MAX)).collect();
        Self { bytes, rows, scaling, device, resident: None }
    }

    /// Where its batches are put.
    pub fn device(&self) -> Device {
        self.device
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The images at these places among `rows`: f32 `[N, 1, 96, 96]`, grey values from 0 to 255. `at` are the same
    /// places on the device, if they are there already.
    pub fn grey(&self, places: &[i64], at: Option<&Tensor>) -> Result<Tensor, TchError> {
        let grey = match (&self.resident, at) {
            (Some(all), Some(at)) => all.f_index_select(0, at)?,
            (Some(all), None) => {
                all.f_index_select(0, &Tensor::f_from_slice(places)?.f_to_device(self.device)?)?
            }
            (None, _) => self.gathered(places)?.f_to_device(self.device)?,
        };
        grey.f_view([-1, 1, SIDE_PX as i64, SIDE_PX as i64])?.f_to_kind(Kind::Float)
    }

    /// Grey values as the network wants them; may change its argument.
    pub fn scaled(&self, grey: Tensor) -> Result<Tensor, TchError> {
        let (offset, divisor) = self.scaling.affine(WHITE);
        let mut images = grey;
        if offset != 0.0 {
            images = images.f_sub_scalar_(offset)?;
        }
        if divisor != 1.0 {
            images = images.f_div_scalar_(divisor)?;
        }
        Ok(images)
    }

    /// u8 `[N, 9216]` on the CPU.
    fn gathered(&self, places: &[i64]) -> Result<Tensor, TchError> {
        let mut bytes = Vec::with_capacity(places.len() * PIXELS);
        for place in places {
            let row = self.rows[*place as usize] as usize;
            bytes.extend_from_slice(&self.bytes[row * PIXELS..(row + 1) * PIXELS]);
        }
        Tensor::f_from_data_size(&bytes, &[places.len() as i64, PIXELS as i64], Kind::Uint8)
    }
}
