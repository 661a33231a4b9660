"""What every part leans on: the user's errors, command start-up, files written whole."""
