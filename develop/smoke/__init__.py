"""A short life of the integration in a real Home Assistant of any release."""
