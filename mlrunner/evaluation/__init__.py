"""Metrics, scores, their uncertainty, and plots."""
