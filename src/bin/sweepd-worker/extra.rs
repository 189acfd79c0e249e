//! Numbers about an image itself, for dense layers beside those of the trunk: roughly from 0 to 1, in f32.

use sweepd::model::{ExtraInput, Scaling};
use tch::{Kind, TchError, Tensor};

/// Whitest grey value.
const WHITE: f64 = 255.0;
/// What keeps a division by no gradient at all from failing.
const TINY: f64 = 1e-8;
/// Makes gradients, mostly small, as large as other numbers.
const STEEPER: f64 = 10.0;

/// The numbers of each image, `[N, numbers]`, from scaled images `[N, 1, H, W]`.
pub fn extra(images: &Tensor, which: &[ExtraInput], scaling: Scaling) -> Result<Tensor, TchError> {
    let _guard = tch::no_grad_guard();
    let (offset, divisor) = scaling.affine(WHITE);
    let grey = images.f_mul_scalar(divisor)?.f_add_scalar(offset)?.f_div_scalar(WHITE)?.f_squeeze_dim(1)?;
    let of = |what: &ExtraInput| match what {
        ExtraInput::Statistics => statistics(&grey),
        ExtraInput::Histogram => histogram(&grey),
        ExtraInput::Gradients => gradients(&grey),
    };
    Tensor::f_cat(&which.iter().map(of).collect::<Result<Vec<_>, _>>()?, 1)
}

/// Mean, deviation, least and greatest.
fn statistics(grey: &Tensor) -> Result<Tensor, TchError> {
    let all = grey.f_flatten(1, -1)?;
    let (deviation, mean) = all.f_std_mean_dim([1i64].as_slice(), false, false)?;
    let (least, greatest) = all.f_aminmax(1, false)?;
    Tensor::f_stack(&[mean, deviation, least, greatest], 1)
}

/// The share of grey values in each class.
fn histogram(grey: &Tensor) -> Result<Tensor, TchError> {
    let all = grey.f_flatten(1, -1)?;
    let most = ExtraInput::CLASSES as f64;
    let class = all.f_mul_scalar(most)?.f_floor()?.f_clamp(0.0, most - 1.0)?;
    let share = |number: usize| {
        let is_in = class.f_eq(number as f64)?;
        is_in.f_mean_dim([1i64].as_slice(), false, Kind::Float)
    };
    Tensor::f_stack(&(0..ExtraInput::CLASSES).map(share).collect::<Result<Vec<_>, _>>()?, 1)
}

/// Mean steepness along x and along y; then, weighted by the squared steepness: where it lies, how far it spreads along
/// x and y, and how both go together.
fn gradients(grey: &Tensor) -> Result<Tensor, TchError> {
    let (inner_x, inner_y) = (grey.size()[2] - 1, grey.size()[1] - 1);
    let corner = grey.f_narrow(1, 0, inner_y)?.f_narrow(2, 0, inner_x)?;
    let along_x = grey.f_narrow(1, 0, inner_y)?.f_narrow(2, 1, inner_x)?.f_sub(&corner)?;
    let along_y = grey.f_narrow(1, 1, inner_y)?.f_narrow(2, 0, inner_x)?.f_sub(&corner)?;
    let energy = along_x.f_square()?.f_add(&along_y.f_square()?)?;
    let places = |count: i64, shape: [i64; 3]| {
        Tensor::f_arange(count, (Kind::Float, grey.device()))?.f_div_scalar(count as f64)?.f_view(shape)
    };
    let (x, y) = (places(inner_x, [1, 1, inner_x])?, places(inner_y, [1, inner_y, 1])?);
    let sum = |numbers: &Tensor| numbers.f_sum_dim_intlist([1i64, 2].as_slice(), true, None);
    let total = sum(&energy)?.f_add_scalar(TINY)?;
    let weighted = |numbers: &Tensor| sum(&energy.f_mul(numbers)?)?.f_div(&total);
    let (middle_x, middle_y) = (weighted(&x)?, weighted(&y)?);
    let (from_x, from_y) = (x.f_sub(&middle_x)?, y.f_sub(&middle_y)?);
    let steep =
        |along: &Tensor| along.f_abs()?.f_mean_dim([1i64, 2].as_slice(), true, None)?.f_mul_scalar(STEEPER);
    let all = [
        steep(&along_x)?,
        steep(&along_y)?,
        weighted(&from_x.f_square()?)?.f_sqrt()?,
        weighted(&from_y.f_square()?)?.f_sqrt()?,
        weighted(&from_x.f_mul(&from_y)?)?.f_mul_scalar(STEEPER)?,
        middle_x,
        middle_y,
    ];
    Tensor::f_cat(&all, 1)?.f_flatten(1, -1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    fn numbers(images: &Tensor, what: ExtraInput, scaling: Scaling) -> Vec<f32> {
        let all = extra(images, &[what], scaling).unwrap();
        assert_eq!(all.size(), [images.size()[0], what.count() as i64]);
        Vec::try_from(all.view(-1)).unwrap()
    }

    /// Black, but for a white square with corners (8, 4) and (12, 8).
    fn square() -> Tensor {
        let image = Tensor::zeros([1, 1, 16, 16], (Kind::Float, Device::Cpu));
        let _ = image.narrow(2, 4, 4).narrow(3, 8, 4).fill_(255.0);
        image
    }

    fn near(a: &[f32], b: &[f64]) {
        assert!(
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4),
            "{a:?} {b:?}"
        );
    }

    #[test]
    fn a_square_has_its_numbers_in_any_scaling() {
        let share: f64 = 1.0 / 16.0;
        for (scaling, image) in [
            (Scaling::Pixels, square()),
            (Scaling::Unit, square() / 255.0),
            (Scaling::Centered, square() / 127.5 - 1.0),
        ] {
            let deviation = (share * (1.0 - share)).sqrt();
            near(&numbers(&image, ExtraInput::Statistics, scaling), &[share, deviation, 0.0, 1.0]);
            let histogram = numbers(&image, ExtraInput::Histogram, scaling);
            near(&[histogram[0], histogram[15]], &[1.0 - share, share]);
            near(&[histogram.iter().sum()], &[1.0]);
            let gradients = numbers(&image, ExtraInput::Gradients, scaling);
            // 4 rows with 2 edges each, of 15 x 15 places; the middle of the edges is that of the square.
            near(&gradients[..2], &[10.0 * 8.0 / 225.0; 2]);
            assert!((gradients[5] - 9.25 / 15.0).abs() < 0.04 && (gradients[6] - 5.25 / 15.0).abs() < 0.04);
        }
    }

    #[test]
    fn an_image_of_one_grey_has_finite_numbers() {
        let grey = Tensor::full([2, 1, 96, 96], 0.5, (Kind::Float, Device::Cpu));
        for what in [ExtraInput::Statistics, ExtraInput::Histogram, ExtraInput::Gradients] {
            assert!(numbers(&grey, what, Scaling::Unit).iter().all(|number| number.is_finite()));
        }
    }
}
