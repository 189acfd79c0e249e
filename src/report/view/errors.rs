//! How far predicted points are from true ones.

/// How far off the predictions of some rows are, in the unit of the labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// Over all labels; `None` where there are none.
    pub rmse: Option<f64>,
    /// For each point, with how many labels that is over.
    pub points: Vec<(Option<f64>, u64)>,
    /// For each row that has a label: which, and its own, the smallest first.
    pub rows: Vec<(usize, f64)>,
}

/// A sum of squares.
#[derive(Clone, Copy, Default)]
struct Sum {
    squares: f64,
    labels: u64,
}

impl Sum {
    fn add(&mut self, error: f64) {
        self.squares += error * error;
        self.labels += 1;
    }

    fn root(self) -> Option<f64> {
        (self.labels > 0).then(|| (self.squares / self.labels as f64).sqrt())
    }
}

/// Compares rows of `columns` numbers each, two to a point; labels that are not finite do not exist.
#[must_use]
pub fn errors(truth: &[f32], predicted: &[f32], columns: usize) -> Errors {
    let columns = columns.max(1);
    let (mut all, mut points, mut rows) = (Sum::default(), vec![Sum::default(); columns / 2], Vec::new());
    for (row, (truth, predicted)) in
        truth.chunks_exact(columns).zip(predicted.chunks_exact(columns)).enumerate()
    {
        let mut own = Sum::default();
        for (column, (label, guess)) in
            truth.iter().zip(predicted).enumerate().filter(|(_, (x, _))| x.is_finite())
        {
            let error = f64::from(*guess) - f64::from(*label);
            all.add(error);
            own.add(error);
            if let Some(point) = points.get_mut(column / 2) {
                point.add(error);
            }
        }
        rows.extend(own.root().map(|rmse| (row, rmse)));
    }
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    Errors {
        rmse: all.root(),
        points: points.into_iter().map(|sum| (sum.root(), sum.labels)).collect(),
        rows,
    }
}
