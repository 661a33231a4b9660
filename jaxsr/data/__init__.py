"""Photos in and out, sample photos, data sets of sub-images, and the stream of training batches."""
