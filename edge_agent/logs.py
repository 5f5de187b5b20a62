"""The agent's log lines have the shape of the pipeline's: see pipeline.contracts.log_lines."""

from pipeline.contracts.log_lines import FORMATS, Format, configure, fields

__all__ = ["FORMATS", "Format", "configure", "fields"]
