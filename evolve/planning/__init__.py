"""`evolve plan`: what a run will cost, from a few measured rollouts and simulated contests."""
