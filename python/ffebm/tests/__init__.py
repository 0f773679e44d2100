"""The package's tests: python3 -m ffebm.tests. They need the package alone, no source tree."""
