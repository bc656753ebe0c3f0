"""What `docker compose` needs besides the services: volume preparation, and settings for other images."""
