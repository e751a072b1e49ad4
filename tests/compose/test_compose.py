"""docker-compose.yml: each role starts with the command and environment that stand there; nothing is left open."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.vault import new_key
from burgernet.embedded import free_port
from tests.conversations.real import RealNode, real_node

ROOT = Path(__file__).parents[2]
ROLES = ("telephony", "alerting", "web")
PREPARING = ("schema", "country", "configuration")
UP_BOUND_S = 60
ENV = {
    "POSTGRES_PASSWORD": "p" * 32,
    "REDIS_PASSWORD": "r" * 32,
    "BURGERNET_REGISTER_KEYS": f"1:{new_key()}",
    "BURGERNET_POLICE_KEYS": f"1:{new_key()}",
    "BURGERNET_ARI_PASSWORD": "a" * 32,
    "BURGERNET_AMI_PASSWORD": "b" * 32,
    "BURGERNET_SIP_SECRET": "c" * 32,
    "BURGERNET_PUBLIC_URL": "https://burgernet.example",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"])


def filled_in(value: object, env: Mapping[str, str]) -> str:
    """A value with its ${VARIABLES}, as compose fills them in. Raises KeyError for a required one that is not set."""

    def fill(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2] or ""
        if otherwise.startswith(":-"):
            return env.get(name) or otherwise[2:]
        return env[name]

    return re.sub(r"(?<!\$)\$\{(\w+)((?::-|:\?)[^}]*)?\}", fill, str(value)).replace("$$", "$")


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_starts_with_the_command_and_environment_of_the_file(
    services: dict[str, Any], role: str, postgres_country: str, redis_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    file = shutil.copyfile(sqlite_template, tmp_path / "country.db")
    async with real_node(f"sqlite+aiosqlite:///{file}") as node:
        environment = {name: filled_in(value, ENV) for name, value in services[role]["environment"].items()}
        # The same variables, with this machine's addresses for the containers' names.
        environment |= {
            "BURGERNET_DATABASE_URL": postgres_country,
            "BURGERNET_REDIS_URL": redis_url,
            "BURGERNET_METRICS_BIND": f"127.0.0.1:{free_port()}",
            "BURGERNET_WEB_BIND": f"127.0.0.1:{free_port()}",
            "BURGERNET_SOUNDS_DIR": str(tmp_path / "sounds"),
            "BURGERNET_SPOOL_FILE": str(tmp_path / "calls.spool"),
            **_controls(node),
        }
        words = [sys.executable, "-c", "from burgernet.command_line import main; main()", *services[role]["command"]]
        process = await asyncio.create_subprocess_exec(
            *words,
            env={"PATH": os.environ["PATH"], **environment},
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout
            async with asyncio.timeout(UP_BOUND_S):
                said = [(await process.stdout.readline()).decode()]
                while said[-1] and "Burgernet is up" not in said[-1]:
                    said.append((await process.stdout.readline()).decode())
            assert said[-1].strip() == f"Burgernet is up: {role}", said
            assert await _is_healthy(services[role], environment)
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 20)
        assert process.returncode == 0


def test_every_service_that_stays_up_has_a_health_check(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert ("healthcheck" in service) == (name not in PREPARING), name


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEYS|REDIS_URL|DATABASE_URL", variable):
                if ":-}" in value:  # optional: empty, it is not used
                    continue
                with pytest.raises(KeyError):
                    filled_in(value, {})
                assert filled_in(value, ENV), (name, variable)


def test_only_sip_media_and_the_web_role_can_be_reached_from_outside(services: dict[str, Any]) -> None:
    opened = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert opened == {
        "asterisk": ["5060:5060/udp", "5061:5061/tcp", "10000-10199:10000-10199/udp"],
        "web": ["127.0.0.1:8080:8080"],
    }


def test_the_files_for_tls_are_mounted_where_the_configuration_is_written(services: dict[str, Any]) -> None:
    service = services["configuration"]
    files = [service["environment"][f"BURGERNET_SIP_{name}"] for name in ("CERTIFICATE", "KEY", "AUTHORITIES")]
    mounted = {filled_in(volume, {"BURGERNET_CERTIFICATES": "/own"}) for volume in service["volumes"]}
    assert {str(Path(file).parent) for file in files} == {"/certificates"}
    assert "/own:/certificates:ro" in mounted
    assert filled_in(service["environment"]["BURGERNET_SIP_SECURED"], {}) == "[]"


def test_every_image_names_its_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert tag not in ("latest", service["image"]), name


def test_the_example_names_every_variable_that_must_be_set(services: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text("utf-8")))
    example = (ROOT / "docs" / "compose.env").read_text("utf-8")
    assert asked == ENV.keys()
    assert asked <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def _controls(node: RealNode) -> dict[str, str]:
    settings = node.settings
    return {
        "BURGERNET_ARI_URL": settings.ari_url,
        "BURGERNET_ARI_PASSWORD": settings.ari_password.get_secret_value(),
        "BURGERNET_AMI_URL": settings.ami_url,
        "BURGERNET_AMI_PASSWORD": settings.ami_password.get_secret_value(),
    }


async def _is_healthy(service: dict[str, Any], environment: Mapping[str, str]) -> bool:
    """What the file's own health check says."""
    _, _, *words = service["healthcheck"]["test"]
    check = await asyncio.create_subprocess_exec(
        sys.executable, *words, env={"PATH": os.environ["PATH"], **environment}, stderr=asyncio.subprocess.DEVNULL
    )
    return await asyncio.wait_for(check.wait(), 20) == 0
