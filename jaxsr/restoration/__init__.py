"""From photo to photo: exact tiles, self-ensemble, and scores with their protocol."""
