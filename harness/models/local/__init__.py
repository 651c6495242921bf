"""A small real model on this machine: weights from a package index, served in a child process over HTTP.

weights.py says which file is meant, fetch.py gets it, server.py is that process (and the only importer of xllamacpp),
supervisor.py keeps it alive for as long as a block lasts.
"""
