# SPDX-License-Identifier: MIT
"""GDB's testsuite from Debian's source package, kept in the user's cache; nothing of it comes here."""

import os
import pathlib
import re
import shutil
import subprocess
import tarfile

PACKAGE = "gdb"


class Missing(Exception):
    """The source package is not to be had; the text says why."""


def cache_folder():
    """Where it is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "uniscope" / "gdb-testsuite"


def _tool(*words, cwd=None):
    try:
        return subprocess.run(
            [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError as error:
        raise Missing(f"{words[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise Missing(f"{words[0]}: {lines[-1] if lines else 'failed'}") from error


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
    _tool("apt-get", "-qq", *options, "update")
    _tool(
        "apt-get", "-qq", *options, "source", "--download-only", f"{PACKAGE}={version}", cwd=folder
    )


def _unpack(folder, target):
    tarballs = sorted(folder.glob(f"{PACKAGE}_*.orig.tar.*[a-z]"))
    tarballs = [path for path in tarballs if not path.name.endswith(".asc")]
    if not tarballs:
        raise Missing("the source package has no tarball of gdb")
    wanted = re.compile(r"[^/]+/(gdb/(testsuite|features|contrib|syscalls)/|include/)")
    unpacked = folder / "unpacking"
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(tarballs[-1]) as archive:
        for member in archive:
            if wanted.match(member.name) and ".." not in member.name:
                archive.extract(member, unpacked)
    inner = next(unpacked.iterdir())
    inner.rename(target)
    unpacked.rmdir()


def testsuite_folder(offline=False):
    """The folder with gdb.base and the others; raises Missing."""
    version = _version()
    folder = cache_folder() / re.sub(r"[^\w.+-]", "_", version)
    target = folder / "source"
    if not target.is_dir():
        if offline:
            raise Missing(f"{PACKAGE} {version}: its source is not in {cache_folder()}")
        folder.mkdir(parents=True, exist_ok=True)
        _download(folder, version)
        _unpack(folder, target)
    return target / "gdb" / "testsuite"
