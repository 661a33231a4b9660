"""One way to train: states, losses, schedules, steps as pure functions, and the loop around them."""
