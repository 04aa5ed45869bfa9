"""Commands that start at once: a resident process has imported everything, and forks for each command."""
