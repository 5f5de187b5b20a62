"""The registry: site files, the database's master data, and the domain's view of both."""
