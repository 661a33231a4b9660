"""Slow, obvious NumPy versions of what is easy to get wrong."""
