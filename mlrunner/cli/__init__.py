"""The command line: Hydra's part, and the verbs."""
