"""How properties are tested: no example is too slow, for a busy machine makes slow ones of them all."""

from hypothesis import HealthCheck, settings

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
