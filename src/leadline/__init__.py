"""Leadline: a network scanner that explains every answer it gives."""

__version__ = "0.1.0"
