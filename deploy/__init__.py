"""What `docker compose` needs beside the services: what prepares volumes, and other images' configuration."""
