"""The keys with which the hearer of a voice alert answers: the same by whatever way it was called."""

TO_THE_ROOM, AGAIN, TIP, NO_MORE = "1", "2", "3", "9"
# How often the message is told at most, and how long a key is waited for after it.
TIMES = 4
KEY_S = 8.0
