"""Hypothesis settings for property tests: no deadline, because a busy machine slows every example."""

from hypothesis import HealthCheck, settings

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
