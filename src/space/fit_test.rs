use super::*;
use crate::domain::When;
use proptest::prelude::*;

fn float(low: f64, high: f64) -> Parameter {
    Parameter { kind: ParameterKind::Float { low, high, log: false, step: None }, when: None, default: None }
}

fn choice(words: &[&str]) -> Parameter {
    let values = words.iter().map(|word| Value::from(*word)).collect();
    Parameter { kind: ParameterKind::Choice { values }, when: None, default: None }
}

fn fixed(value: i64) -> Parameter {
    Parameter { kind: ParameterKind::Fixed { value: value.into() }, when: None, default: None }
}

fn space(parameters: &[(&str, Parameter)]) -> Space {
    Space::new(&parameters.iter().map(|(name, p)| ((*name).to_owned(), p.clone())).collect()).unwrap()
}

fn params(values: &[(&str, Value)]) -> Params {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn what_is_missing_takes_its_default_and_what_has_none_does_not_fit() {
    let old = params(&[("x", 0.5.into())]);
    let with = |default: Option<Value>| {
        space(&[("x", float(0.0, 1.0)), ("y", Parameter { default, ..float(0.0, 1.0) })])
    };
    assert_eq!(with(None).fit(&old, &BTreeSet::new()).unwrap_err(), "y is missing, and has no default");
    let fitted = with(Some(0.25.into())).fit(&old, &BTreeSet::new());
    assert_eq!(fitted, Ok(params(&[("x", 0.5.into()), ("y", 0.25.into())])));
    // A value of its own goes before it.
    let own = params(&[("x", 0.5.into()), ("y", 0.75.into())]);
    assert_eq!(with(Some(0.25.into())).fit(&own, &BTreeSet::new()), Ok(own.clone()));
}

#[test]
fn a_default_is_asked_for_only_where_the_parameter_exists() {
    let when = Some(When { param: "family".into(), values: vec!["cnn".into()] });
    let kernel = Parameter { when, default: Some(0.5.into()), ..float(0.0, 1.0) };
    let space = space(&[("family", choice(&["cnn", "dense"])), ("kernel", kernel)]);
    let fitted = |word: &str| space.fit(&params(&[("family", word.into())]), &BTreeSet::new()).unwrap();
    assert_eq!(fitted("cnn").len(), 2);
    assert_eq!(fitted("dense").len(), 1);
}

#[test]
fn what_is_gone_is_dropped_only_where_it_never_varied() {
    let now = space(&[("x", float(0.0, 1.0))]);
    let old = params(&[("epochs", 10.into()), ("x", 0.5.into())]);
    assert_eq!(now.fit(&old, &BTreeSet::new()).unwrap_err(), "epochs varied there and does not exist here");
    assert_eq!(now.fit(&old, &BTreeSet::from(["epochs".into()])), Ok(params(&[("x", 0.5.into())])));
}

#[test]
fn constant_is_what_has_one_value_in_every_space_that_has_it() {
    let of = |parameters: &[(&str, Parameter)]| -> BTreeMap<String, Parameter> {
        parameters.iter().map(|(name, p)| ((*name).to_owned(), p.clone())).collect()
    };
    let spaces = [
        of(&[("always", fixed(1)), ("changed", fixed(1)), ("freed", fixed(1)), ("varies", float(0.0, 1.0))]),
        of(&[("always", fixed(1)), ("changed", fixed(2)), ("freed", float(0.0, 1.0)), ("later", fixed(3))]),
        of(&[("freed", fixed(1)), ("varies", fixed(1))]),
    ];
    let names = constants(&spaces);
    assert_eq!(names.iter().collect::<Vec<_>>(), ["always", "later"]);
}

/// Spaces of three parameters that may be there, with some range and some default.
fn random_space() -> impl Strategy<Value = BTreeMap<String, Parameter>> {
    let x = (0..3u8, 1..4u8).prop_map(|(low, width)| float(f64::from(low), f64::from(low + width)));
    let word = prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4).prop_map(|words| choice(&words));
    let n = (0..3i64, 0..3i64, any::<bool>()).prop_map(|(low, width, is_fixed)| match is_fixed {
        true => fixed(low),
        false => Parameter {
            kind: ParameterKind::Int { low, high: low + width, log: false, step: None },
            default: Some(low.into()),
            when: None,
        },
    });
    let optional = |chance: f64, strategy: BoxedStrategy<Parameter>| prop::option::weighted(chance, strategy);
    (x, optional(0.7, word.boxed()), optional(0.7, n.boxed())).prop_map(|(x, word, n)| {
        let all = [("x", Some(x)), ("word", word), ("n", n)];
        all.into_iter().filter_map(|(name, p)| Some((name.to_owned(), p?))).collect()
    })
}

proptest! {
    /// What fits is in the space, and says of every parameter what it said or what the default says.
    #[test]
    fn what_fits_is_in_the_space(
        spaces in prop::collection::vec(random_space(), 2..4),
        point in prop::collection::vec(0.0f64..1.0, 3),
    ) {
        let constant = constants(&spaces[..spaces.len() - 1]);
        let (old, now) = (Space::new(&spaces[0]).unwrap(), Space::new(&spaces[spaces.len() - 1]).unwrap());
        let params = old.decode(&point);
        // Its own space it fits as it is, whatever was constant elsewhere.
        prop_assert_eq!(old.fit(&params, &constant), Ok(params.clone()));
        if let Ok(fitted) = now.fit(&params, &constant) {
            now.contains(&fitted).unwrap();
            for entry in now.entries() {
                let said = params.get(&entry.name).or(entry.default.as_ref());
                prop_assert_eq!(fitted.get(&entry.name), said);
            }
            for gone in params.keys().filter(|name| !fitted.contains_key(*name)) {
                prop_assert!(constant.contains(gone));
            }
        }
    }
}
