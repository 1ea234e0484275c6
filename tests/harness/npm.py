"""Packages of npm for tests, fetched once and kept beside other programs' caches."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL_S, NODE = 150, 20


def installed(folder: Path, name: str) -> Path:
    """A folder with what `folder`/package.json asks for; skips the test where it cannot be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not here")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < NODE:
        pytest.skip(f"{name} needs node {NODE} or later, not {version}")
    wanted = (folder / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "renkei"
    home = cache / f"{name}-{hashlib.sha256(wanted).hexdigest()[:16]}"
    if home.exists():
        return home
    making = cache / f"{home.name}-{os.getpid()}"
    making.mkdir(parents=True)
    (making / "package.json").write_bytes(wanted)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--omit=optional", "--ignore-scripts", "--fetch-retries=0")
    try:
        subprocess.run(["npm", "install", *quiet], cwd=making, check=True, capture_output=True, timeout=INSTALL_S)
        making.rename(home)  # as a whole: another worker may be at it too
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not fetch {name}: {error.stderr.decode()[:300]}")
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not fetch {name} within {INSTALL_S} s")
    except OSError:
        if not home.exists():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return home
