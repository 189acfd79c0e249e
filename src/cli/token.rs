//! `sweepd token`: tokens for other programs.

use super::context::Context;
use super::exit::Failure;
use crate::access::{self, May};
use crate::daemon::now;
use crate::report::{TextTable, moment};
use clap::{Args, Subcommand};

/// Tokens for other programs: add, list, remove
#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Make a token and print it: it is shown this once, only its hash is kept
    Add {
        /// What to call it
        name: String,
        /// What it allows
        #[arg(long)]
        may: May,
    },
    /// List the tokens
    Ls,
    /// Remove a token, which is worth nothing from then on
    Rm {
        /// Which
        name: String,
    },
}

/// Adds, lists or removes tokens; a running daemon heeds it at once.
///
/// # Errors
/// Where the name is taken or there is no such token, or the file cannot be read or written.
pub fn run(args: TokenArgs, context: &Context) -> anyhow::Result<()> {
    match args.what {
        What::Add { name, may } => {
            std::fs::create_dir_all(&context.home)?;
            let token = access::add(&context.home, &name, may, now())?;
            if context.json {
                return context.print_json(&serde_json::json!({ "name": name, "may": may, "token": token }));
            }
            println!("{token}");
        }
        What::Ls => {
            let tokens = access::list(&context.home)?;
            if context.json {
                let shown = |token: &access::NamedToken| serde_json::json!({ "name": token.name, "may": token.may, "created_ms": token.created_ms });
                return context.print_json(&tokens.iter().map(shown).collect::<Vec<_>>());
            }
            let mut table = TextTable::new().words("NAME").words("MAY").words("MADE");
            for token in &tokens {
                table.row([token.name.clone(), token.may.as_str().to_owned(), moment(token.created_ms)]);
            }
            println!("{}", table.render(None).0);
        }
        What::Rm { name } => {
            if !access::remove(&context.home, &name)? {
                return Err(Failure::not_found(format!("there is no token {name}")).into());
            }
        }
    }
    Ok(())
}
