//! `sweepd enqueue`: try a configuration of a sweep next.

use super::context::Context;
use super::exit::{FAILED, Failure};
use super::steer::escape;
use crate::domain::{Params, Value};
use crate::worker::client::Client;
use clap::Args;

/// Try a configuration of a sweep next
#[derive(Args, Debug)]
pub struct EnqueueArgs {
    /// A sweep's name, id, or the start of its id
    pub sweep: String,
    /// Parameters: kernel_size=3 activation=relu dense=[500,100]; what is left open, the sampler fills in
    #[arg(required = true, value_name = "NAME=VALUE")]
    pub params: Vec<String>,
}

/// Hands the configuration to the daemon.
///
/// # Errors
/// Where no daemon runs, there is no such sweep, or the configuration cannot exist.
pub fn run(args: &EnqueueArgs, context: &Context) -> anyhow::Result<()> {
    let params = args.params.iter().map(|text| parse(text)).collect::<Result<Params, Failure>>()?;
    let path = format!("/api/v1/sweeps/{}/enqueue", escape(&args.sweep));
    Client::new(&context.home).post(&path, &params)?;
    if context.json {
        println!("{}", serde_json::json!({ "sweep": args.sweep, "enqueued": params }));
    } else {
        eprintln!("{}: queued as the next trial", args.sweep);
    }
    Ok(())
}

fn parse(text: &str) -> Result<(String, Value), Failure> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Failure::new(FAILED, format!("expected NAME=VALUE, not {text:?}")));
    };
    // What is no number, flag or list is a word: nobody quotes words on a command line.
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::Text(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_look_like() {
        let value = |text: &str| parse(text).unwrap().1;
        assert_eq!(value("a=3"), Value::Int(3));
        assert_eq!(value("a=1e-3"), Value::Float(1e-3));
        assert_eq!(value("a=true"), Value::Bool(true));
        assert_eq!(value("a=relu"), Value::from("relu"));
        assert_eq!(value("a=[500,100]"), Value::from(vec![500i64, 100]));
        assert!(parse("a").is_err());
    }
}
