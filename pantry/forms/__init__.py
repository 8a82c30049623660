"""Forms of the pantry app, one noun a module: they validate, services save."""
