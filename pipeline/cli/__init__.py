"""The `biotrakr` command: one file a subcommand. Composes everything; nobody imports it."""
