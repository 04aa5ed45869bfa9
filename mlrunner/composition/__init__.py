"""Compose the configuration, check it, explain what is wrong with it; importing this package does nothing."""
