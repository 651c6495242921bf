"""From an answer's text to a tree: spelling.py, tokens.py, grammar.py. Nothing is evaluated, and no text is run."""
