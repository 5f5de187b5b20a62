"""The dataflow and its adapters to bytewax; event time and deduplication."""
