"""The reading side: a run as values read from population.db and traces, and how they are drawn. Writes nothing."""
