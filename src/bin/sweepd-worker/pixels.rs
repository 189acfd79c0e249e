//! Augmentation of pixels, in batches on the training's device. What is done to which image is drawn beforehand, for a
//! whole epoch; only the noises of single pixels come from libtorch's generator, which is seeded for each batch.

use std::ops::Range;
use sweepd::augment::{Draw, Motion, WAVES};
use sweepd::model::{Augment, Fill, SIDE_PX};
use tch::{Device, Kind, TchError, Tensor};

const SIDE: i64 = SIDE_PX as i64;
/// Half an image's side: libtorch counts places from -1 to 1.
const HALF: f64 = SIDE_PX as f64 / 2.0;
const WHITE: f64 = 255.0;
/// A wave's numbers: along x and y, across x and y, phase.
const WAVE: usize = 5;
/// libtorch's number for interpolating between the four nearest pixels.
const BILINEAR: i64 = 0;
/// Blurs look so many deviations far.
const DEVIATIONS: f64 = 3.0;
/// The smallest deviation of a blur, in pixels: it leaves an image as it was.
const SHARP: f64 = 0.05;
/// Fewest photons of a white pixel's Poisson noise that are told apart from none at all.
const NO_POISSON: f64 = 1e-4;

/// What is done to each image of an epoch, in the epoch's order.
pub struct Changes {
    settings: Augment,
    /// f32 `[S, 2, 3]`, from places of the new image to those of the old one, both from -1 to 1.
    theta: Option<Tensor>,
    /// f32 `[S, WAVES, WAVE]`; displacements from -1 to 1, places in pixels.
    waves: Option<Tensor>,
    /// f32 `[S, Shade::COUNT]`.
    shades: Option<Tensor>,
}

/// The columns of `shades`.
#[derive(Clone, Copy)]
enum Shade {
    Blur,
    Gain,
    Brighter,
    Noise,
    Poisson,
    SaltPepper,
    /// And the three after it: upper, right and lower end.
    Left,
}

impl Shade {
    const COUNT: usize = Self::Left as usize + 4;
}

impl Changes {
    /// What these draws do.
    pub fn new(settings: &Augment, draws: &[Draw], device: Device) -> Result<Self, TchError> {
        let place = |numbers: Vec<f32>, shape: &[i64]| {
            Tensor::f_from_slice(&numbers)?.f_view(shape)?.f_to_device(device)
        };
        let theta = if settings.moves() {
            let numbers = draws.iter().flat_map(|draw| theta_of(&draw.motion)).collect();
            Some(place(numbers, &[-1, 2, 3])?)
        } else {
            None
        };
        let waves = if settings.distortion.is_on() {
            let numbers = draws.iter().flat_map(|draw| waves_of(&draw.motion)).flatten().collect();
            Some(place(numbers, &[-1, WAVES as i64, WAVE as i64])?)
        } else {
            None
        };
        let shades = if settings.shades() {
            Some(place(draws.iter().flat_map(shades_of).collect(), &[-1, Shade::COUNT as i64])?)
        } else {
            None
        };
        Ok(Self { settings: settings.clone(), theta, waves, shades })
    }

    /// The epoch's images in this range, given as grey values f32 `[N, 1, 96, 96]` from 0 to 255; so they come back.
    pub fn apply(&self, mut images: Tensor, range: &Range<usize>) -> Result<Tensor, TchError> {
        let part = |all: &Tensor| all.f_narrow(0, range.start as i64, range.len() as i64);
        if let Some(theta) = &self.theta {
            let waves = self.waves.as_ref().map(part).transpose()?;
            images = self.moved(&images, &part(theta)?, waves.as_ref())?;
        }
        match &self.shades {
            Some(shades) => self.shaded(images, &part(shades)?),
            None => Ok(images),
        }
    }

    fn moved(&self, images: &Tensor, theta: &Tensor, waves: Option<&Tensor>) -> Result<Tensor, TchError> {
        let count = images.size()[0];
        let mut grid = Tensor::f_affine_grid_generator(theta, [count, 1, SIDE, SIDE], false)?;
        if let Some(waves) = waves {
            let _ = grid.f_add_(&displacements(waves)?)?;
        }
        let padding = match self.settings.fill {
            Fill::Black => 0,
            Fill::Edge => 1,
            Fill::Mirror => 2,
        };
        images.f_grid_sampler(&grid, BILINEAR, padding, false)
    }

    fn shaded(&self, mut images: Tensor, shades: &Tensor) -> Result<Tensor, TchError> {
        let column = |shade: Shade| shades.f_narrow(1, shade as i64, 1)?.f_view([-1, 1, 1, 1]);
        let on = &self.settings;
        if on.blur.is_on() {
            images = blurred(&images, &column(Shade::Blur)?, on.blur.strength)?;
        }
        if on.contrast.is_on() || on.brightness.is_on() {
            let middle = WHITE / 2.0;
            images = images.f_sub_scalar_(middle)?.f_mul_(&column(Shade::Gain)?)?;
            images = images.f_add_(&column(Shade::Brighter)?.f_mul_scalar(WHITE)?)?.f_add_scalar_(middle)?;
        }
        if on.poisson.is_on() {
            // With `1 / strength^2` photons at white, the deviation there is `strength`.
            let strength = column(Shade::Poisson)?.f_clamp_min(NO_POISSON)?;
            let per_photon = strength.f_square()?.f_mul_scalar(WHITE)?;
            images = images.f_clamp_(0.0, WHITE)?.f_div(&per_photon)?.f_poisson()?.f_mul_(&per_photon)?;
        }
        if on.noise.is_on() {
            let noise = images.f_randn_like()?.f_mul_(&column(Shade::Noise)?)?.f_mul_scalar_(WHITE)?;
            images = images.f_add_(&noise)?;
        }
        if on.salt_pepper.is_on() {
            let share = column(Shade::SaltPepper)?.f_div_scalar(2.0)?;
            let chance = images.f_rand_like()?;
            let pepper = chance.f_lt_tensor(&share)?;
            let salt = chance.f_ge_tensor(&share.f_neg()?.f_add_scalar(1.0)?)?;
            images = images.f_masked_fill_(&pepper, 0.0)?.f_masked_fill_(&salt, WHITE)?;
        }
        images = images.f_clamp_(0.0, WHITE)?;
        if on.erase.is_on() {
            let end = |i: i64| shades.f_narrow(1, Shade::Left as i64 + i, 1)?.f_view([-1, 1, 1, 1]);
            let axis = middles(images.device())?;
            let (x, y) = (axis.f_view([1, 1, 1, SIDE])?, axis.f_view([1, 1, SIDE, 1])?);
            let within = |along: &Tensor, from: Tensor, to: Tensor| {
                along.f_ge_tensor(&from)?.f_logical_and(&along.f_lt_tensor(&to)?)
            };
            let covered = within(&x, end(0)?, end(2)?)?.f_logical_and(&within(&y, end(1)?, end(3)?)?)?;
            images = images.f_masked_fill_(&covered, WHITE / 2.0)?;
        }
        Ok(images)
    }
}

/// The middles of pixels along an axis: f32 `[96]`, 0.5 to 95.5.
fn middles(device: Device) -> Result<Tensor, TchError> {
    Tensor::f_arange(SIDE, (Kind::Float, device))?.f_add_scalar(0.5)
}

/// f32 `[N, 96, 96, 2]` for waves `[N, WAVES, WAVE]`.
fn displacements(waves: &Tensor) -> Result<Tensor, TchError> {
    let number = |i: i64| waves.f_narrow(2, i, 1)?.f_unsqueeze(3);
    let axis = middles(waves.device())?;
    let (x, y) = (axis.f_view([1, 1, 1, SIDE])?, axis.f_view([1, 1, SIDE, 1])?);
    let mut place = x.f_mul(&number(2)?)?.f_add(&y.f_mul(&number(3)?)?)?;
    let height = place.f_add_(&number(4)?)?.f_sin_()?;
    let along = |i: i64| height.f_mul(&number(i)?)?.f_sum_dim_intlist([1i64].as_slice(), false, None::<Kind>);
    Tensor::f_stack(&[along(0)?, along(1)?], -1)
}

/// Images `[N, 1, 96, 96]`, each with a Gaussian of its own deviation, `[N, 1, 1, 1]` in pixels; `most` is the largest.
fn blurred(images: &Tensor, deviations: &Tensor, most: f64) -> Result<Tensor, TchError> {
    let reach = (DEVIATIONS * most).ceil().max(1.0) as i64;
    let count = images.size()[0];
    let deviations = deviations.f_clamp_min(SHARP)?.f_view([-1, 1])?;
    let distance =
        Tensor::f_arange_start(-reach, reach + 1, (Kind::Float, images.device()))?.f_view([1, -1])?;
    let weights = distance.f_div(&deviations)?.f_square()?.f_mul_scalar_(-0.5)?.f_exp_()?;
    let sums = weights.f_sum_dim_intlist([1i64].as_slice(), true, None::<Kind>)?;
    let weights = weights.f_div(&sums)?;
    // Each image is a channel with a kernel of its own.
    let channels = images.f_replication_pad2d([reach; 4])?;
    let padded = SIDE + 2 * reach;
    let channels = channels.f_view([1, count, padded, padded])?;
    let along = weights.f_view([count, 1, 1, -1])?;
    let across = weights.f_view([count, 1, -1, 1])?;
    let once = channels.f_conv2d(&along, None::<&Tensor>, [1; 2], [0; 2], [1; 2], count)?;
    let twice = once.f_conv2d(&across, None::<&Tensor>, [1; 2], [0; 2], [1; 2], count)?;
    twice.f_reshape([count, 1, SIDE, SIDE])
}

/// The affine map for places from -1 to 1: `p = 48 (g + 1)` on both sides.
fn theta_of(motion: &Motion) -> [f32; 6] {
    let [a, b, c, d, e, f] = motion.source.0;
    [a, b, a + b + c / HALF - 1.0, d, e, d + e + f / HALF - 1.0].map(|number| number as f32)
}

fn waves_of(motion: &Motion) -> [[f32; WAVE]; WAVES] {
    motion.waves.map(|wave| {
        let along = (wave.along.0 / HALF, wave.along.1 / HALF);
        [along.0, along.1, wave.across.0, wave.across.1, wave.phase].map(|number| number as f32)
    })
}

fn shades_of(draw: &Draw) -> [f32; Shade::COUNT] {
    let mut all = [0.0; Shade::COUNT];
    all[Shade::Blur as usize] = draw.blur_px;
    all[Shade::Gain as usize] = draw.gain;
    all[Shade::Brighter as usize] = draw.brighter;
    all[Shade::Noise as usize] = draw.noise;
    all[Shade::Poisson as usize] = draw.poisson;
    all[Shade::SaltPepper as usize] = draw.salt_pepper;
    all[Shade::Left as usize..].copy_from_slice(&draw.erased);
    all.map(|number| number as f32)
}
