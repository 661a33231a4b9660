"""What every package uses: errors for the user, command start-up, files, progress, memory, random streams, type names.

Open `errors.py` first (`UserError`: one line for a mistake that the user can fix), then `randomness.py` (which random
numbers come from which key) and `types.py` (names for annotations). `command_line.py` starts and ends every command,
`files.py` writes files whole or not at all. Nothing here imports another package.
"""
