"""Who gets a message: chosen out of millions, written as delivery rows, nearest first."""

from alerting.audience.rows import COLUMNS
from alerting.audience.writing import Audiences, write_next

__all__ = ["COLUMNS", "Audiences", "write_next"]
