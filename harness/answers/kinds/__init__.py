"""What a tree, or a text, means as an answer of its kind, and when two of them are the same."""
