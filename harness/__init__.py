"""The inner-loop runtime: one document and one scaffold in, one measured rollout out. Knows nothing of evolution."""
