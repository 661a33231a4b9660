"""Pure functions on arrays: resizing, colour, metrics, patches. NumPy in gives NumPy (float64) out, JAX gives JAX."""
