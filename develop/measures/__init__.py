"""What is measured by hand: what it costs, and what a week does to it."""
