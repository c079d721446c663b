"""The pictures of the README and of the pages, taken from the demo."""
