"""Work on the database beside the flow."""
