"""The tests. How to run them, the markers and the fixtures: tests/conftest.py."""
