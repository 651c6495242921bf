"""A comparison of arms as values: who is compared, what came of each document, and the table that follows. No I/O."""
