"""A caller in line goes where the action goes: handed over to another room, it takes its callers along."""

from ivr_flows.switchboard import Switchboard
from telephony.place import Place


async def follow(board: Switchboard, place: Place, code: str) -> None:
    """Keeps the caller in the line of the room that has the action, at the same turn, until cancelled. Raises
    LineAway."""
    while True:
        moved = board.actions.moved(code)
        action = board.actions.by_code(code)
        if action and action.room_id != place.rooms[0]:
            await place.moves_to(action.room_id)
        await moved.wait()
