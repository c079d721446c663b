"""The routes of the API, and what a request has to be like."""

from .routes import Call, Reply, dispatch

__all__ = ["Call", "Reply", "dispatch"]
