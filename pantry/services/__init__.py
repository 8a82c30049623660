"""Writes of the pantry app: one function a verb."""
