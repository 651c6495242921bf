"""Values of trees at points, and comparing trees by them: arithmetic.py, numeric.py, then probing.py and regions.py."""
