# SPDX-License-Identifier: MIT
"""GDB's testsuite from Debian's source package, kept in the user's cache; nothing of it comes here."""

import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "gdb"

# Seconds for each of the two things that need a network: apt's list, and 24 MB.
TIME_LIMIT_S = 120


class Missing(Exception):
    """The source package is not to be had; the text says why."""


def cache_folder():
    """Where it is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "uniscope" / "gdb-testsuite"


def _tool(*words, cwd=None):
    try:
        return subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=TIME_LIMIT_S,
        ).stdout
    except FileNotFoundError as error:
        raise Missing(f"{words[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise Missing(f"{words[0]}: {lines[-1] if lines else 'failed'}") from error
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{words[0]} took longer than {TIME_LIMIT_S} s") from error


def _tell(what):
    print(f"gdb-testsuite: {what}", file=sys.stderr, flush=True)


def _version():
    """The installed gdb's: its own tests are the right ones for it."""
    return _tool("dpkg-query", "-W", "-f=${Version}", PACKAGE)


def _private_sources(version, path):
    """A source list for the package where the binary one comes from; /etc stays as it is."""
    for line in _tool("apt-cache", "madison", PACKAGE).splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 3 or cells[1] != version or not cells[2].endswith("Packages"):
            continue
        uri, suite_and_component = cells[2].split()[:2]
        suite, _, component = suite_and_component.rpartition("/")
        path.write_text(f"deb-src {uri} {suite} {component}\n")
        return
    raise Missing(f"apt knows no place to get {PACKAGE} {version} from")


def _download(folder, version):
    lists = folder / "apt"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    _private_sources(version, sources)
    options = [
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={lists}",
        "-oDir::Cache::pkgcache=",
        "-oDir::Cache::srcpkgcache=",
    ]
    _tell(f"asking where the source of {PACKAGE} {version} is")
    _tool("apt-get", "-qq", *options, "update")
    _tell("fetching it, 24 MB")
    source = f"{PACKAGE}={version}"
    _tool("apt-get", "-qq", *options, "source", "--download-only", source, cwd=folder)


def _unpack(folder):
    """The folder with what the tests read of it."""
    tarballs = sorted(folder.glob(f"{PACKAGE}_*.orig.tar.*[a-z]"))
    tarballs = [path for path in tarballs if not path.name.endswith(".asc")]
    if not tarballs:
        raise Missing("the source package has no tarball of gdb")
    _tell("unpacking it")
    wanted = re.compile(r"[^/]+/(gdb/(testsuite|features|contrib|syscalls)/|include/)")
    unpacked = folder / "unpacked"
    with tarfile.open(tarballs[-1]) as archive:
        for member in archive:
            if wanted.match(member.name) and ".." not in member.name:
                archive.extract(member, unpacked)
    return next(unpacked.iterdir())


def testsuite_folder():
    """The folder with gdb.base and the others, fetched if it is not there; raises Missing."""
    version = _version()
    # No "-3" either: a test that looks for the number of a breakpoint finds it in the path of a source.
    folder = cache_folder() / re.sub(r"[^\w.+]", "_", version)
    target = folder / "source"
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever fetches it at the same time, or is killed while at it, leaves no half of it there.
        with tempfile.TemporaryDirectory(dir=folder) as fetched:
            _download(pathlib.Path(fetched), version)
            inner = _unpack(pathlib.Path(fetched))
            if not target.is_dir():
                inner.rename(target)
    return target / "gdb" / "testsuite"
