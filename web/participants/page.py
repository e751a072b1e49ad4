"""A page for participants: short, readable by everybody, without a script."""

from __future__ import annotations

from html import escape

from aiohttp import web

CONTENT_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 1em; background: #ffffff; color: #1a1a1a; font: 1.125em/1.5 Arial, sans-serif; }
main { max-width: 38em; margin: 0 auto; }
button { font: inherit; padding: 0.6em 1.2em; border: 0; border-radius: 0.3em; background: #003e8a; color: #ffffff; }
button:focus-visible { outline: 0.2em solid #b85c00; outline-offset: 0.2em; }
@media (prefers-color-scheme: dark) { body { background: #121212; color: #f2f2f2; } }
"""


def page(title: str, sections: list[tuple[str, str, str]], status: int = 200) -> web.Response:
    """`sections`: language, heading and HTML of each."""
    told = "".join(
        f'<section lang="{lang}"><h1>{escape(heading)}</h1>{html}</section>' for lang, heading, html in sections
    )
    return web.Response(
        status=status,
        text='<!doctype html>\n<html lang="nl"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{told}</main></body></html>\n",
        content_type="text/html",
        headers={"Content-Security-Policy": CONTENT_SECURITY},
    )
