use super::*;

fn rows() -> Rows {
    let line = |group| Feature { metric: Metric::Line, group };
    let features = [line(0), Feature { metric: Metric::Equality, group: 1 }, line(2), line(2)];
    let mut rows = Rows::new(&features);
    for i in 0..9 {
        let x = f64::from(i);
        rows.push(&[x * 0.37 % 1.0, f64::from(i % 3), x * 0.21 % 1.0, f64::from(i % 2)]);
    }
    rows
}

#[test]
fn distances_agree_and_are_symmetric() {
    let rows = rows();
    let scales = Scales { log_lengths: vec![-0.5, 0.2, 0.4], signal: 1.0, noise: 0.1 };
    let weights = rows.weights(&scales);
    let pairs = rows.pairs();
    let mut all = vec![vec![0.0; rows.len()]; rows.len()];
    for (i, out) in all.iter_mut().enumerate() {
        rows.distances(&rows.point(i), &weights, out);
        let lanes: Vec<Lanes> = rows.point(i).iter().map(|x| [*x; LANES]).collect();
        let mut many = vec![[0.0; LANES]; rows.len()];
        rows.distances_lanes(&lanes, &weights, &mut many);
        assert!(out.iter().zip(&many).all(|(d, lanes)| lanes.iter().all(|x| x == d)));
    }
    for i in 0..rows.len() {
        assert_eq!(all[i][i], 0.0);
        for j in 0..i {
            assert_eq!(all[i][j], all[j][i]);
            let summed: f64 = (0..3)
                .map(|group| (-2.0 * scales.log_lengths[group]).exp() * pairs[group][i * (i - 1) / 2 + j])
                .sum();
            assert!((summed - all[i][j]).abs() < 1e-12);
        }
    }
}

#[test]
fn matern_falls_from_one() {
    assert_eq!(matern(0.0), (1.0, -5.0 / 6.0));
    let by = 1e-6;
    for squared in [0.01, 0.5, 3.0, 40.0] {
        let numeric = (matern(squared + by).0 - matern(squared - by).0) / (2.0 * by);
        assert!((matern(squared).1 - numeric).abs() < 1e-8);
    }
    assert_eq!(matern(1e9).0, 0.0);
}
