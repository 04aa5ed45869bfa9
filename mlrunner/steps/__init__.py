"""The ZenML steps: each builds its strategy, calls its one method and returns; importing this package does nothing."""
