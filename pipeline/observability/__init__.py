"""What the pipeline tells those who watch it: metrics, health, and the listener that serves them.

Implements the observers that flow, sources and sinks declare; only `cli` puts it in.
"""
