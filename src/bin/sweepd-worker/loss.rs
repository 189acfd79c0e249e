//! What training makes small: a function of the errors of the labels that exist.

use sweepd::model::{Loss, Training};
use tch::{Kind, TchError, Tensor};

/// The loss of a training.
#[derive(Debug, Clone, Copy)]
pub struct Objective {
    loss: Loss,
    /// Share of the labels, those with the largest errors, that is left out.
    trim: f64,
    /// Pixels that one unit of the targets' scale is.
    px_per_unit: f64,
}

/// What a batch, or a part of one, comes to; sums over labels, in the scale of the targets.
pub struct Sums {
    /// Of the loss, to be derived: f32 `[]`.
    pub loss: Tensor,
    /// Of the squared errors of all labels that exist: f32 `[]`.
    pub squared_error: Tensor,
}

impl Objective {
    /// The one that a training's settings ask for.
    pub fn new(settings: &Training) -> Self {
        let (_, px_per_unit) = crate::samples::target_scale(settings.target_scaling);
        Self { loss: settings.loss, trim: settings.trim, px_per_unit }
    }

    /// The share of labels that counts.
    pub fn kept(&self) -> f64 {
        1.0 - self.trim
    }

    /// For predictions, targets and which of them exist (0 or 1), all f32 `[N, 30]`.
    pub fn sums(&self, out: &Tensor, targets: &Tensor, exists: &Tensor) -> Result<Sums, TchError> {
        let error = out.f_sub(targets)?.f_mul(exists)?;
        let squared = error.f_square()?;
        let squared_error = squared.f_detach()?.f_sum(Kind::Float)?;
        let mut each = self.of_each(&error, squared)?;
        if self.trim > 0.0 {
            each = each.f_mul(&self.small(&error.f_detach()?.f_abs()?, exists)?)?;
        }
        Ok(Sums { loss: each.f_sum(Kind::Float)?, squared_error })
    }

    /// The loss of each error; 0 where the error is.
    fn of_each(&self, error: &Tensor, squared: Tensor) -> Result<Tensor, TchError> {
        match self.loss {
            Loss::Mse => Ok(squared),
            Loss::SmoothL1 { beta_px } => {
                let beta = beta_px / self.px_per_unit;
                let size = error.f_abs()?;
                let straight = size.f_sub_scalar(beta / 2.0)?;
                squared.f_div_scalar(2.0 * beta)?.f_where_self(&size.f_lt(beta)?, &straight)
            }
            Loss::Wing { width_px, curvature_px } => {
                let (width, curvature) = (width_px / self.px_per_unit, curvature_px / self.px_per_unit);
                let size = error.f_abs()?;
                let curved = size.f_div_scalar(curvature)?.f_log1p()?.f_mul_scalar(width)?;
                let gap = width - width * (width / curvature).ln_1p();
                curved.f_where_self(&size.f_lt(width)?, &size.f_sub_scalar(gap)?)
            }
        }
    }

    /// 1 for labels whose error is not among the largest, else 0. Nothing is read back from the device.
    fn small(&self, sizes: &Tensor, exists: &Tensor) -> Result<Tensor, TchError> {
        // Labels that do not exist come last.
        let sizes = sizes.f_add(&exists.f_sub_scalar(1.0)?)?;
        let (sorted, _) = sizes.f_flatten(0, -1)?.f_sort(0, true)?;
        let left_out = exists.f_sum(Kind::Float)?.f_mul_scalar(self.trim)?.f_floor()?;
        let largest_kept = sorted.f_index_select(0, &left_out.f_to_kind(Kind::Int64)?.f_view([1])?)?;
        sizes.f_le_tensor(&largest_kept)?.f_to_kind(Kind::Float)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sweepd::domain::Params;
    use sweepd::model::Plan;

    fn objective(text: &str) -> Objective {
        let params: Params = serde_json::from_str(text).unwrap();
        Objective::new(Plan::from_params(&params).unwrap().training())
    }

    /// Loss and squared error of one row whose errors are these, in pixels; NaN for a missing label.
    fn sums(text: &str, errors_px: &[f32]) -> (f64, f64) {
        let objective = objective(text);
        let scaled =
            errors_px.iter().map(|e| if e.is_nan() { 9.0 } else { e / objective.px_per_unit as f32 });
        let out = Tensor::from_slice(&scaled.collect::<Vec<f32>>());
        let exists: Vec<f32> = errors_px.iter().map(|e| f32::from(!e.is_nan())).collect();
        let sums = objective.sums(&out, &out.zeros_like(), &Tensor::from_slice(&exists)).unwrap();
        (sums.loss.double_value(&[]), sums.squared_error.double_value(&[]))
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-4 * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn losses_are_those_of_their_papers_in_pixels() {
        let errors = [0.5, -3.0, 8.0, f32::NAN];
        for (scaling, px) in [("centered", 48.0), ("unit", 96.0), ("pixels", 1.0)] {
            let of = |loss: &str| sums(&format!(r#"{{ "target_scaling": "{scaling}", {loss} }}"#), &errors);
            let squares = 0.25 + 9.0 + 64.0;
            near(of(r#""loss": "mse""#).0, squares / (px * px));
            let smooth = 0.5 * 0.25 / 2.0 + (3.0 - 1.0) + (8.0 - 1.0);
            near(of(r#""loss": "smooth_l1", "loss_beta_px": 2"#).0, smooth / px);
            let wing = |e: f64| 5.0 * (1.0 + e / 0.5).ln();
            let straight = 8.0 - (5.0 - 5.0 * (1.0f64 + 5.0 / 0.5).ln());
            let all = of(r#""loss": "wing", "loss_width_px": 5, "loss_curvature_px": 0.5"#);
            near(all.0, (wing(0.5) + wing(3.0) + straight) / px);
            near(all.1, squares / (px * px));
        }
    }

    #[test]
    fn the_largest_errors_are_left_out() {
        let errors = [1.0, f32::NAN, -2.0, 30.0, 4.0, f32::NAN];
        let of = |trim: f64| sums(&format!(r#"{{ "target_scaling": "pixels", "trim": {trim} }}"#), &errors);
        near(of(0.0).0, 1.0 + 4.0 + 900.0 + 16.0);
        near(of(0.25).0, 1.0 + 4.0 + 16.0);
        near(of(0.5).0, 1.0 + 4.0);
        near(of(0.5).1, 1.0 + 4.0 + 900.0 + 16.0);
    }
}
