"""What every part builds on: errors, overrides, the terminal, processes, the environment."""
