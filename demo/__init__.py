"""Demos that run the real product: `make demo`, `make demo-live`, and the demo profile of docker compose."""
