"""Looks at a message before it goes out, and advises. It blocks only what cannot be sent."""

from alerting.message_doctor.advice import Advice, Findings, Severity, Where
from alerting.message_doctor.examination import examine

__all__ = ["Advice", "Findings", "Severity", "Where", "examine"]
