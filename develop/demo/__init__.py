"""The demo: a real Home Assistant, and the Amps sandbox as its home."""
