"""What all parts say alike: names and numbers, words, errors and repairs."""
