//! The Cholesky factor of a covariance matrix, row by row.
//!
//! Each row follows from the rows above it alone, in a fixed order of operations: a factor that grew is the same,
//! bit for bit, as one built at once.

/// So many points are treated at once: enough to fill the registers of any machine.
pub(super) const LANES: usize = 8;
/// A number for each of the points.
pub(super) type Lanes = [f64; LANES];

/// A lower triangular matrix, row after row without the zeros.
#[derive(Debug, Clone, Default)]
pub(super) struct Factor {
    entries: Vec<f64>,
    rows: usize,
}

impl Factor {
    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn row(&self, i: usize) -> &[f64] {
        let start = i * (i + 1) / 2;
        &self.entries[start..start + i + 1]
    }

    fn diagonal(&self, i: usize) -> f64 {
        self.entries[i * (i + 3) / 2]
    }

    /// Adds the row of a point: its covariances with the points before it, and its variance. `false`, and no
    /// change, where the matrix would not be positive definite.
    pub fn push(&mut self, covariances: &[f64], variance: f64) -> bool {
        let start = self.entries.len();
        self.entries.extend_from_slice(&covariances[..self.rows]);
        self.entries.push(0.0);
        let (above, row) = self.entries.split_at_mut(start);
        let mut offset = 0;
        for j in 0..self.rows {
            let other = &above[offset..offset + j + 1];
            row[j] = (row[j] - dot(&other[..j], &row[..j])) / other[j];
            offset += j + 1;
        }
        let rest = variance - dot(&row[..self.rows], &row[..self.rows]);
        // Less than that is rounding error.
        if rest.is_nan() || rest <= variance * 1e-14 {
            self.entries.truncate(start);
            return false;
        }
        row[self.rows] = rest.sqrt();
        self.rows += 1;
        true
    }

    /// Solves `L x = b` in place.
    pub fn solve(&self, b: &mut [f64]) {
        for i in 0..b.len() {
            let row = self.row(i);
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
    }

    /// Solves `L' x = b` in place.
    pub fn solve_transposed(&self, b: &mut [f64]) {
        for i in (0..b.len()).rev() {
            let row = self.row(i);
            b[i] /= row[i];
            let x = b[i];
            b[..i].iter_mut().zip(row).for_each(|(b, l)| *b -= l * x);
        }
    }

    /// As [`Factor::solve`], for many right sides at once.
    pub fn solve_lanes(&self, b: &mut [Lanes]) {
        let mut i = 0;
        // Two rows at a time halve the loads of what is solved already.
        while i + 1 < self.rows {
            let (row, next) = (self.row(i), self.row(i + 1));
            let (solved, open) = b.split_at_mut(i);
            let (mut first, mut second) = (open[0], open[1]);
            for ((x, l), m) in solved.iter().zip(row).zip(next) {
                for lane in 0..LANES {
                    first[lane] -= l * x[lane];
                    second[lane] -= m * x[lane];
                }
            }
            for lane in 0..LANES {
                first[lane] /= row[i];
                second[lane] = (second[lane] - next[i] * first[lane]) / next[i + 1];
            }
            (open[0], open[1]) = (first, second);
            i += 2;
        }
        if i < self.rows {
            let row = self.row(i);
            let (solved, open) = b.split_at_mut(i);
            for (x, l) in solved.iter().zip(row) {
                (0..LANES).for_each(|lane| open[0][lane] -= l * x[lane]);
            }
            open[0].iter_mut().for_each(|x| *x /= row[i]);
        }
    }

    /// As [`Factor::solve_transposed`], for many right sides at once.
    pub fn solve_transposed_lanes(&self, b: &mut [Lanes]) {
        let mut i = self.rows;
        while i >= 2 {
            let (row, above) = (self.row(i - 1), self.row(i - 2));
            let (open, solved) = b.split_at_mut(i - 2);
            let (mut x, mut y) = (solved[1], solved[0]);
            for lane in 0..LANES {
                x[lane] /= row[i - 1];
                y[lane] = (y[lane] - row[i - 2] * x[lane]) / above[i - 2];
            }
            for ((b, l), m) in open.iter_mut().zip(row).zip(above) {
                for lane in 0..LANES {
                    b[lane] -= l * x[lane] + m * y[lane];
                }
            }
            (solved[1], solved[0]) = (x, y);
            i -= 2;
        }
        if i == 1 {
            b[0].iter_mut().for_each(|x| *x /= self.diagonal(0));
        }
    }

    /// The lower half of the inverse of the whole matrix, row after row.
    pub fn inverse(&self) -> Vec<f64> {
        let mut own: Vec<f64> = vec![0.0; self.entries.len()];
        let mut start = 0;
        for i in 0..self.rows {
            let (above, row) = own.split_at_mut(start);
            let factor = self.row(i);
            let mut offset = 0;
            for (k, l) in factor[..i].iter().enumerate() {
                row.iter_mut().zip(&above[offset..=offset + k]).for_each(|(x, m)| *x -= l * m);
                offset += k + 1;
            }
            row[..i].iter_mut().for_each(|x| *x /= factor[i]);
            row[i] = 1.0 / factor[i];
            start += i + 1;
        }
        let mut inverse = vec![0.0; own.len()];
        let mut start = 0;
        for k in 0..self.rows {
            let row = &own[start..=start + k];
            let mut offset = 0;
            for (i, x) in row.iter().enumerate() {
                let to = &mut inverse[offset..=offset + i];
                to.iter_mut().zip(row).for_each(|(to, y)| *to += x * y);
                offset += i + 1;
            }
            start += k + 1;
        }
        inverse
    }

    /// Half the logarithm of the determinant.
    pub fn half_log_determinant(&self) -> f64 {
        (0..self.rows).map(|i| self.diagonal(i).ln()).sum()
    }
}

/// The inner product, summed in a fixed order that vector units can follow.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

#[cfg(test)]
#[path = "factor_test.rs"]
mod factor_test;
