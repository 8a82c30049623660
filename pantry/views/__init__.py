"""Pages of the pantry app, one noun a module."""
