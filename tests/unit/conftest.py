"""How the property tests run: as long as they need, and a failure prints how to repeat it."""

from hypothesis import HealthCheck, settings

# The time of one example says little on a shared machine; each test has its own time limit.
settings.register_profile(
    "unit", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
