"""A stranger's picture made safe to keep: decoded within bounds and written anew, without what the camera put in it."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST = 10_000_000
# More than a telephone's camera makes; less than fits in memory several times.
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 2560
QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")


class NoPhoto(ValueError):
    """What came is no photo that can be kept."""


def made_safe(given: bytes, longest_side: int = LONGEST_SIDE) -> bytes:
    """The picture as a JPEG of at most `longest_side` pixels, upright, without place, time or name of the camera. Takes
    up to seconds: call it in a thread. Raises NoPhoto."""
    if len(given) > LARGEST:
        raise NoPhoto("too many bytes")
    try:
        with Image.open(io.BytesIO(given), formats=FORMATS) as picture:
            # Looked at before anything is unpacked: a small file can say that it is a huge picture.
            if picture.width * picture.height > MOST_PIXELS:
                raise NoPhoto("too many pixels")
            picture.draft("RGB", (longest_side, longest_side))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((longest_side, longest_side))
            return _written(upright)
    except NoPhoto:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise NoPhoto(type(fault).__name__) from None
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, ArithmeticError, EOFError) as fault:
        # Whatever a broken file makes of the decoder.
        raise NoPhoto(type(fault).__name__) from None


def _written(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    plain = picture.convert("RGBA")
    white = Image.new("RGBA", plain.size, "white")
    Image.alpha_composite(white, plain).convert("RGB").save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
