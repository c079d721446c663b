"""What is checked beside rules, types and tests."""
