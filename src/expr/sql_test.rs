//! SQL as text, and SQLite as the judge: it has to say what evaluation says.

use super::samples_test::{FIELDS, Sample, arithmetic, condition, number, text, value};
use super::{Bound, Expr, Joins, Place, Sql};
use crate::domain::{Params, Value};
use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, TypeInfo, ValueRef};
use std::cell::RefCell;

fn sql(text: &str) -> String {
    let mut joins = Joins::new("trial");
    let sql = Expr::parse(text, &Sample).unwrap().to_sql(&mut joins);
    assert_eq!(sql.text().matches('?').count(), sql.binds().len());
    assert_eq!(joins.text().matches('?').count(), joins.binds().len());
    format!("{}\n{:?} {:?}", sql.text(), sql.binds(), joins.binds())
}

#[test]
fn everything_written_by_a_user_is_bound() {
    let all = [
        "rmse < 2.5 and state = failed",
        "kernel_size = 3",
        "activation in [relu, 'x'') or 1=1 --']",
        "not batch_norm = true",
        "steps / kernel_size > -dropout",
        "dropout < filters",
        "state = dropout or weights is null or batch_norm",
        "tag = keep and tag not in [x, 'y) or 1=1 --']",
    ]
    .map(sql);
    assert_snapshot!(all.join("\n"), @r#"
    ((trial.best_value < ?) and (trial.state = ?))
    [Float(2.5), Text("failed")] []
    (p0.value = ?)
    [Int(3)] [Text("kernel_size")]
    (p0.value in (?, ?))
    [Text("relu"), Text("x') or 1=1 --")] [Text("activation")]
    (not (p0.value = ?))
    [Bool(true)] [Text("batch_norm")]
    ((cast(trial.steps as real) / nullif((case when typeof(p0.value) <> 'text' then p0.value end), 0)) > (0 - (case when typeof(p1.value) <> 'text' then p1.value end)))
    [] [Text("kernel_size"), Text("dropout")]
    coalesce(((case when typeof(p0.value) <> 'text' then p0.value end) < (case when typeof(p1.value) <> 'text' then p1.value end)), ((case when typeof(p0.value) = 'text' then p0.value end) < (case when typeof(p1.value) = 'text' then p1.value end)))
    [] [Text("dropout"), Text("filters")]
    ((+trial.state = p0.value) or (trial.weights is null) or (case when typeof(p1.value) <> 'text' then p1.value end))
    [] [Text("dropout"), Text("batch_norm")]
    ((exists (select 1 from json_each(trial.tags) word where word.value in (?))) and (not (exists (select 1 from json_each(trial.tags) word where word.value in (?, ?)))))
    [Text("keep"), Text("x"), Text("y) or 1=1 --")] []
    "#);
}

/// A trial's columns and parameters.
#[derive(Debug, Clone)]
struct Trial {
    state: &'static str,
    steps: i64,
    rmse: Option<f64>,
    weights: Option<String>,
    best_step: Option<i64>,
    tags: Option<Value>,
    params: Params,
}

impl Trial {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "state" => Some(self.state.into()),
            "steps" => Some(Value::Int(self.steps)),
            "rmse" => self.rmse.map(Value::Float),
            "is_over" => Some(Value::Bool(self.state == "completed")),
            "weights" => self.weights.clone().map(Value::Text),
            "best_step" => self.best_step.map(Value::Int),
            "tag" => self.tags.clone(),
            param => self.params.get(param).cloned(),
        }
    }
}

fn trial() -> impl Strategy<Value = Trial> {
    let params: Vec<&str> =
        FIELDS.iter().filter(|(_, _, place)| *place == Place::Param).map(|(name, ..)| *name).collect();
    let params =
        params.into_iter().map(|name| prop::option::weighted(0.8, value()).prop_map(move |v| (name, v)));
    (
        prop::sample::select(vec!["completed", "failed", "running"]),
        -2..4_i64,
        prop::option::of(number().prop_map(|n| n.as_f64().unwrap())),
        prop::option::of(text()),
        prop::option::of(-2..4_i64),
        prop::option::of(prop::collection::vec(text().prop_map(Value::Text), 1..3).prop_map(Value::List)),
        params.collect::<Vec<_>>(),
    )
        .prop_map(|(state, steps, rmse, weights, best_step, tags, params)| Trial {
            state,
            steps,
            rmse,
            weights,
            best_step,
            tags,
            params: params.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))).collect(),
        })
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, value: &Value) -> Query<'q> {
    match value {
        Value::Bool(b) => query.bind(*b),
        Value::Int(i) => query.bind(*i),
        Value::Float(x) => query.bind(*x),
        Value::Text(s) => query.bind(s.clone()),
        list @ Value::List(_) => query.bind(serde_json::to_string(list).unwrap()),
    }
}

async fn empty_database() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(include_str!("../../migrations/0001_initial.sql")).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(include_str!("../../migrations/0007_notes.sql")).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(
        "insert into sweep (sweep_id, uid, name, priority, state, spec, source, created_ms)
         values (1, 'u', 'n', 0, 'active', '', '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection
}

async fn keep(connection: &mut SqliteConnection, trial: &Trial) {
    sqlx::raw_sql("delete from trial; delete from trial_param").execute(&mut *connection).await.unwrap();
    sqlx::query(
        "insert into trial (trial_id, sweep_id, number, params, suggested, created_ms,
                            state, steps, best_value, weights, best_step, tags)
         values (1, 1, 0, '', '', 0, ?, ?, ?, ?, ?, ?)",
    )
    .bind(trial.state)
    .bind(trial.steps)
    .bind(trial.rmse)
    .bind(trial.weights.clone())
    .bind(trial.best_step)
    .bind(trial.tags.as_ref().map(|tags| serde_json::to_string(tags).unwrap()))
    .execute(&mut *connection)
    .await
    .unwrap();
    for (name, value) in &trial.params {
        let query =
            sqlx::query("insert into trial_param (trial_id, name, sweep_id, value) values (1, ?, 1, ?)")
                .bind(name.clone());
        bind(query, value).execute(&mut *connection).await.unwrap();
    }
}

/// What SQLite makes of an expression, in its own storage classes.
async fn ask(connection: &mut SqliteConnection, expr: &Expr) -> Option<Value> {
    let mut joins = Joins::new("trial");
    let sql: Sql = expr.to_sql(&mut joins);
    let mut query = sqlx::query(AssertSqlSafe(format!("select {} from trial{}", sql.text(), joins.text())));
    for value in sql.binds().iter().chain(joins.binds()) {
        query = bind(query, value);
    }
    let row = query.fetch_one(connection).await.unwrap();
    let raw = row.try_get_raw(0).unwrap();
    if raw.is_null() {
        return None;
    }
    Some(match raw.type_info().name() {
        "INTEGER" => Value::Int(row.get(0)),
        "REAL" => Value::Float(row.get(0)),
        "TEXT" => Value::Text(row.get(0)),
        other => panic!("{other}"),
    })
}

/// Whether a bound holds, asked as of an index.
async fn is_within(connection: &mut SqliteConnection, bound: &Bound<'_>) -> bool {
    let (table, column) = match bound.place {
        Place::Column(column) => ("trial", column),
        Place::Param => ("trial_param", "value"),
    };
    let named = if bound.place == Place::Param { "name = ?" } else { "? is not null" };
    let sql = format!("select count(*) from {table} where {named} and {}", bound.on(column));
    let mut query = bind(sqlx::query(AssertSqlSafe(sql)), &Value::Text(bound.name.to_owned()));
    for value in bound.binds {
        query = bind(query, value);
    }
    query.fetch_one(connection).await.unwrap().get::<i64, _>(0) == 1
}

/// A value as SQLite keeps it.
fn stored(value: Value) -> Value {
    match value {
        Value::Bool(b) => Value::Int(i64::from(b)),
        list @ Value::List(_) => Value::Text(serde_json::to_string(&list).unwrap()),
        other => other,
    }
}

fn agree(cases: u32, expressions: BoxedStrategy<String>, is_condition: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = RefCell::new(runtime.block_on(empty_database()));
    let texts = prop::collection::vec(expressions, 8);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&(trial(), texts), |(trial, texts)| {
        let connection = &mut *database.borrow_mut();
        runtime.block_on(keep(connection, &trial));
        for text in texts {
            let lookup = |name: &str| trial.get(name);
            if is_condition {
                let expr = Expr::parse(&text, &Sample).unwrap();
                let said = runtime.block_on(ask(connection, &expr));
                let said = said.map(|value| value.as_f64().unwrap() != 0.0);
                prop_assert_eq!(expr.holds(&lookup), said, "{}", text);
                let (bounds, rest) = expr.split(|_| true);
                let mut holds = rest.is_none_or(|rest| rest.holds(&lookup) == Some(true));
                for bound in &bounds {
                    holds &= runtime.block_on(is_within(connection, bound));
                }
                prop_assert_eq!(holds, said == Some(true), "{} in parts", text);
            } else {
                let expr = Expr::parse_value(&text, &Sample).unwrap();
                let said = runtime.block_on(ask(connection, &expr));
                prop_assert_eq!(expr.value(&lookup).map(stored), said, "{}", text);
            }
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn sqlite_agrees_on_conditions() {
    agree(400, condition(), true);
}

#[test]
fn sqlite_agrees_on_values() {
    agree(200, prop_oneof![arithmetic(), condition()].boxed(), false);
}

#[test]
fn the_longest_expressions_are_within_what_sqlite_takes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trial = Trial {
        state: "failed",
        steps: 1,
        rmse: None,
        weights: None,
        best_step: None,
        tags: None,
        params: Params::from([("dropout".into(), Value::Int(1))]),
    };
    let deep = (0..31).fold("steps".to_owned(), |text, _| format!("1/({text})"));
    let deep = format!("{}dropout < {deep}", "not ".repeat(20));
    runtime.block_on(async {
        let mut connection = empty_database().await;
        keep(&mut connection, &trial).await;
        for text in [
            format!("steps=2{}", " or steps=1".repeat(370)),
            format!("steps=2{}", " or 1".repeat(10)).replace("or 1", "or true"),
            format!("dropout{}", " or dropout".repeat(370)),
            format!("dropout<filters{}", " or dropout<filters".repeat(210)),
            format!("steps in [1{}]", ",1".repeat(2000)),
            format!("false{}", " or true".repeat(500)),
            deep,
        ] {
            let expr = Expr::parse(&text, &Sample).unwrap();
            let said = ask(&mut connection, &expr).await;
            let said = said.map(|value| value.as_i64() != Some(0));
            assert_eq!(expr.holds(&|name| trial.get(name)), said, "{text}");
        }
    });
}
