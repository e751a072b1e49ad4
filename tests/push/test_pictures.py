"""A picture goes with mail and notifications, is shown while its action is open, and nowhere afterwards."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession
from PIL import Image

from actions.desk import NewAction
from actions.models import MessageKind
from actions.photos import NoPhoto
from actions.pictures import FRESH_S, SIDE, Pictures, read_picture
from actions.store import Store
from alerting.bell import action_changed
from alerting.previews import previews
from alerting.renditions import Around
from burgernet.base import Base
from burgernet.settings import Settings
from stand_ins.push_service import PushService
from tests.mail.running import AREA, FOUND, GOLF, ME, alerting, until
from tests.push.test_by_push import base, database_url, service, settings, takes_part
from tests.web.conftest import serving
from tests.web.program import burgernet

__all__ = ["base", "database_url", "service", "settings"]  # fixtures

PLACE, GPS = 0x9003, 0x8825
NEWS = {"nl": ("blauwe Golf in Rotterdam", "Hij rijdt nu in Schiedam."), "en": ("blue Golf", "Now in Schiedam.")}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A large photo that tells when and where it was taken."""
    picture = Image.new("RGB", (3000, 1500), "blue")
    exif = Image.Exif()
    exif[PLACE] = "2026:11:28 12:00:00"
    exif[GPS] = {1: "N", 2: (51.0, 55.0, 0.0)}
    picture.save(tmp_path / "photo.jpg", exif=exif)
    return tmp_path / "photo.jpg"


async def test_a_picture_is_shown_until_the_end_and_nowhere_afterwards(
    base: Base, service: PushService, photo: Path
) -> None:
    browser = await takes_part(base, service)
    async with alerting(base), serving(base), ClientSession() as anybody:
        new = NewAction("missing_child", "rotterdam", AREA, GOLF, picture=read_picture(photo))
        action = await base.desk.start_action(new, ME)
        await action_changed(base.redis)
        await until(lambda: len(browser.got) == 1, "the alert")
        address = browser.got[0].content["notification"]["image"]
        async with anybody.get(address) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["Cache-Control"] == "no-store"
            kept = Image.open(BytesIO(await answer.read()))
        assert kept.size == (SIDE, SIDE // 2)
        assert dict(kept.getexif()) == {}
        async with anybody.get(address[:-4] + "AAAA") as answer:
            assert answer.status == 404

        await base.desk.update_action(action.code, NEWS, ME)
        await action_changed(base.redis)
        await until(lambda: len(browser.got) == 2, "the update")
        assert browser.got[1].content["notification"]["image"] == address
        around = Around("0800-0011", "https://x.example", base.settings.public_url)
        shown = await previews(base.store, action.id, around)
        assert [address in one.text for one in shown[0].renditions if one.way == "mail"] == [True, True]

        await base.desk.end_action(action.code, "direct", FOUND, ME)
        await action_changed(base.redis)
        await until(lambda: len(browser.got) == 3, "the result")
        assert "image" not in browser.got[2].content["notification"]

        async def gone() -> bool:
            async with anybody.get(address) as answer:
                return answer.status == 404

        await until(gone, "the picture is gone")


async def test_a_picture_outlives_its_action_by_seconds_at_most(country: Store, base: Base, photo: Path) -> None:
    clock = [100.0]
    pictures = Pictures(base.store, lambda: clock[0])
    action = await base.desk.start_action(NewAction("amber", "rotterdam", AREA, GOLF, picture=read_picture(photo)), ME)
    (alert,) = await previews(base.store, action.id, Around("0800-0011", "https://x.example", ""))
    (mail,) = [one for one in alert.renditions if (one.way, one.language) == ("mail", "nl")]
    key = mail.text.partition("/pictures/")[2].split()[0]
    assert alert.kind is MessageKind.ALERT
    assert await pictures.with_key(key)
    await base.desk.end_action(action.code, "direct", FOUND, ME)
    clock[0] += FRESH_S
    assert await pictures.with_key(key) is None


def test_what_is_no_picture_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NoPhoto, match="no such file"):
        read_picture(tmp_path / "nothing")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(NoPhoto):
        read_picture(tmp_path / "text.jpg")


async def test_the_command_takes_a_picture_or_says_why_not(
    base: Base, settings: Settings, photo: Path, tmp_path: Path
) -> None:
    words = ("action", "start", "--kind", "amber", "--region", "rotterdam", "--circle", "51.9225,4.4792,2000")
    said = ("--title", "meisje in Delft", "--text", "Kijk uit.")
    status, _, err = await burgernet(settings, tmp_path, *words, *said, "--picture", str(tmp_path / "nothing.jpg"))
    assert (status, "nothing.jpg cannot be used: there is no such file" in err) == (1, True)
    status, out, err = await burgernet(settings, tmp_path, *words, *said, "--picture", str(photo))
    assert status == 0, err
    assert "is open" in out
    assert "no-time" in err
    (action,) = await base.desk.open_actions()
    (alert,) = await previews(base.store, action.id, Around("0800-0011", "https://x.example", ""))
    assert any("/pictures/" in one.text for one in alert.renditions)
