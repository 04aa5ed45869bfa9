"""A config-driven experiment runner for tabular machine learning."""

__version__ = "0.1.0"
