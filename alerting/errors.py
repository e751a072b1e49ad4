"""What can go wrong between us and somebody's phone: whether trying again helps, and whose fault it is."""

from dataclasses import dataclass
from enum import StrEnum

from actions.reachability import Gone


class Whose(StrEnum):
    RECIPIENT = "recipient"  # this phone cannot be reached, or does not want to be
    PROVIDER = "provider"
    US = "us"  # our account, our settings, our text: somebody must repair it


@dataclass(frozen=True)
class Fault:
    """`operator_message`: what to show an operator; it says what to do where something can be done. `gone`: whether it
    says that there is nobody at this number, mailbox or browser at all."""

    retryable: bool
    whose_fault: Whose
    operator_message: str
    gone: Gone = Gone.NO


class SendError(Exception):
    """The provider refused, for certain: nothing was sent. `pause_s`: how long to leave the provider alone."""

    def __init__(self, fault: Fault, pause_s: float = 0.0) -> None:
        super().__init__(fault.operator_message)
        self.fault = fault
        self.pause_s = pause_s


class TooMany(SendError):
    """The provider works, and takes no more for a moment: that is no reason to doubt it."""


class Unanswered(Exception):
    """The provider was asked and gave no clear answer: it may or may not send. Ask it before trying again."""


# An attempt that a crash or a lost answer left open, and of which the provider knows nothing.
NEVER_ARRIVED = Fault(True, Whose.PROVIDER, "the provider never received it")
NEVER_KNOWN = Fault(False, Whose.PROVIDER, "nobody knows whether it was sent: the provider did not answer in time")
