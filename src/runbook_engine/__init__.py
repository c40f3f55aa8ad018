"""Runbooks as code."""
