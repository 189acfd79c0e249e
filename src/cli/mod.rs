//! The command line: one file per subcommand. Knows everything; nothing knows it.
