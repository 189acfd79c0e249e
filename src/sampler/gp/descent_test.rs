use super::*;

const LIMITS: Limits = Limits { evaluations: 200, gain: 1e-14, first_step: 0.1 };

fn run(mut descent: Descent, function: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    while let Some(x) = descent.wanted() {
        let (value, gradient) = function(x);
        descent.tell(value, &gradient);
    }
    descent.best().0.to_vec()
}

fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
}

#[test]
fn it_finds_the_end_of_a_bent_valley() {
    let found = run(Descent::new(vec![-1.2, 1.0], vec![(-2.0, 2.0); 2], LIMITS), rosenbrock);
    assert!(found.iter().all(|x| (x - 1.0).abs() < 1e-4), "{found:?}");
}

#[test]
fn it_stops_at_a_bound() {
    let found = run(Descent::new(vec![-1.2, 1.0], vec![(-2.0, 0.5), (-2.0, 2.0)], LIMITS), rosenbrock);
    assert!((found[0] - 0.5).abs() < 1e-6 && (found[1] - 0.25).abs() < 1e-4, "{found:?}");
}

#[test]
fn it_backs_off_from_what_is_not_finite() {
    let function = |x: &[f64]| {
        if x[0] > 0.7 { (f64::NAN, vec![f64::NAN]) } else { ((x[0] - 0.6).powi(2), vec![2.0 * (x[0] - 0.6)]) }
    };
    let limits = Limits { first_step: 1.0, ..LIMITS };
    let found = run(Descent::new(vec![0.0], vec![(0.0, 1.0)], limits), function);
    assert!((found[0] - 0.6).abs() < 1e-5, "{found:?}");
    let nowhere = run(Descent::new(vec![0.5], vec![(0.0, 1.0)], LIMITS), |_| (f64::NAN, vec![0.0]));
    assert_eq!(nowhere, [0.5]);
    assert!(Descent::new(vec![], vec![], LIMITS).wanted().is_none());
}
