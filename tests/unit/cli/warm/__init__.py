"""The warm process and its commands."""
