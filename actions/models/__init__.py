"""Every durable fact, as tables: the action desk, the participant register and the police data.

Three groups, in PostgreSQL three schemas: `desk` (actions, rooms, deliveries, outbox, audit), `register` (who takes
part) and `police` (calls, recordings, tips). On SQLite they share one file. A column named `sealed` holds ciphertext of
a `vault.Vault`; `key_version` beside it tells which key; `digest` is the keyed hash by which it can be found again.
"""

from actions.models.columns import DESK, POLICE, REGISTER, BigId, UtcTime, now
from actions.models.desk import (
    Action,
    AreaCode,
    Attempt,
    Audit,
    ControlRoom,
    Delivery,
    Message,
    MessageSound,
    MessageText,
    Operator,
    Organisation,
    Outbox,
    PostcodeRange,
    Region,
    Token,
    Withdrawal,
)
from actions.models.police import Call, CallBack, InboundText, Recording, Tip
from actions.models.register import Address, ContactPoint, Participant, Subscription
from actions.models.words import DeliveryState, Kind, MessageKind, Outcome, Status

__all__ = [
    "DESK",
    "POLICE",
    "REGISTER",
    "Action",
    "Address",
    "AreaCode",
    "Attempt",
    "Audit",
    "BigId",
    "Call",
    "CallBack",
    "ContactPoint",
    "ControlRoom",
    "Delivery",
    "DeliveryState",
    "InboundText",
    "Kind",
    "Message",
    "MessageKind",
    "MessageSound",
    "MessageText",
    "Operator",
    "Organisation",
    "Outbox",
    "Outcome",
    "Participant",
    "PostcodeRange",
    "Recording",
    "Region",
    "Status",
    "Subscription",
    "Tip",
    "Token",
    "UtcTime",
    "Withdrawal",
    "now",
]
