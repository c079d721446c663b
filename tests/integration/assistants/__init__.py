"""The real voice assistants of Home Assistant, over the sandbox."""
