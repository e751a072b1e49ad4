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
    MessagePicture,
    MessageSound,
    MessageText,
    Operator,
    Organisation,
    Outbox,
    PostcodeRange,
    Region,
    Spending,
    Tally,
    Token,
    Withdrawal,
)
from actions.models.places import AddressPlace, Boundary, PostcodePlace
from actions.models.police import Call, CallBack, InboundText, OneTimeLink, Photo, Recording, Sighting, Tip
from actions.models.register import Address, ContactPoint, Participant, Subscription
from actions.models.words import DeliveryState, Kind, MessageKind, Outcome, Status, bits

__all__ = [
    "DESK",
    "POLICE",
    "REGISTER",
    "Action",
    "Address",
    "AddressPlace",
    "AreaCode",
    "Attempt",
    "Audit",
    "BigId",
    "Boundary",
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
    "MessagePicture",
    "MessageSound",
    "MessageText",
    "OneTimeLink",
    "Operator",
    "Organisation",
    "Outbox",
    "Outcome",
    "Participant",
    "Photo",
    "PostcodePlace",
    "PostcodeRange",
    "Recording",
    "Region",
    "Sighting",
    "Spending",
    "Status",
    "Subscription",
    "Tally",
    "Tip",
    "Token",
    "UtcTime",
    "Withdrawal",
    "bits",
    "now",
]
