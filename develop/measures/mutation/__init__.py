"""Mutation: whether the tests notice when a line says something else."""
