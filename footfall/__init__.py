"""Footfall's domain: what a crossing, a day and a bucket are, and how counts are kept."""

__version__ = "0.1.0"
