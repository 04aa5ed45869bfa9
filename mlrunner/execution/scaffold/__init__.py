"""A new project: look at its data, and write its first files."""
