"""An area as GeoJSON that a map can draw, whatever way it was given. Pure."""

from __future__ import annotations

from typing import Any

import shapely

from actions.geography import Area, to_wgs

# On a screen nobody sees less than this, in metres.
EXACT_M = 5.0


def outline(area: Area) -> dict[str, Any]:
    """A GeoJSON Polygon or MultiPolygon in WGS84, drawn within five metres. Takes a moment for the outline of a region:
    call it in a thread."""
    shape = area.shape.simplify(EXACT_M)
    points = shapely.get_coordinates(shape)
    placed = [(lon, lat) for lat, lon in (to_wgs(x, y) for x, y in points)]
    drawn = shapely.set_coordinates(shape, placed) if placed else shape
    geometry: dict[str, Any] = shapely.geometry.mapping(drawn)
    return {"type": geometry["type"], "coordinates": _lists(geometry["coordinates"])}


def _lists(value: Any) -> Any:
    return [_lists(part) for part in value] if isinstance(value, list | tuple) else round(value, 6)
