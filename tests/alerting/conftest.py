"""A town on both databases."""

from __future__ import annotations

import pytest

from actions.desk import Desk
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from tests.alerting.town import Town


@pytest.fixture
def town(country: Store, vaults: Vaults) -> Town:
    return Town(country, Register(country, vaults.register), Desk(country))
