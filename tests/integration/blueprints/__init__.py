"""The blueprints, run in a home."""
