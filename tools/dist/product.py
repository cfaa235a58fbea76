"""The binary that packages contain, and what packages say about it."""

import re
import shutil
import struct
import subprocess
import sys
import tempfile
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

ROOT = Path(__file__).resolve().parents[2]
# ELF's names of processors, and the names that Rust, npm and Debian use.
ARCHITECTURES = {"EM_X86_64": ("x86_64", "x64", "amd64"), "EM_AARCH64": ("aarch64", "arm64", "arm64")}
# First bytes of a 64-bit binary for macOS, and its processors: Rust's name, npm's name, and the oldest macOS that Rust supports.
MACH_O = b"\xcf\xfa\xed\xfe"
MAC_PROCESSORS = {0x01000007: ("x86_64", "x64", "10_12"), 0x0100000C: ("aarch64", "arm64", "11_0")}
LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"]


@dataclass(frozen=True)
class Release:
    """What all packages say about stackgen."""

    version: str
    summary: str
    repository: str

    @staticmethod
    def read():
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
        summary = tomllib.loads((ROOT / "generator/cli/Cargo.toml").read_text())["package"]["description"]
        return Release(manifest["version"], summary, manifest["repository"])


@dataclass(frozen=True)
class Platform:
    """System and processor that a binary is for."""

    # Rust's name of it.
    target: str
    # npm's names of the system and of the processor.
    os: str
    cpu: str
    # Tag of a wheel, which names the oldest system that runs the binary.
    wheel_tag: str
    # Debian's name of the processor, and the oldest glibc as Debian writes it; None on macOS.
    deb_arch: str | None = None
    glibc: str | None = None


@dataclass(frozen=True)
class Product:
    """A stripped binary, its platform and its release."""

    binary: Path
    release: Release
    platform: Platform

    @staticmethod
    def read(binary, source):
        """Reads a stripped copy of the binary `source`. Ends the program if it is not stackgen, or not of Cargo.toml's version."""
        release = Release.read()
        with open(binary, "rb") as file:
            platform = platform_of(file, source)
        said = version_of(binary, source)
        if said != release.version:
            sys.exit(f"{source} is version {said}, and Cargo.toml says {release.version}: build it again")
        return Product(binary, release, platform)

    @property
    def version(self):
        return self.release.version

    def run(self, *arguments):
        """Returns what the binary prints."""
        return subprocess.run([self.binary, *arguments], check=True, capture_output=True).stdout


def platform_of(file, source):
    """Returns the platform of a binary. Ends the program if there are no packages for it."""
    magic = file.read(4)
    if magic == b"\x7fELF":
        return linux(ELFFile(file), source)
    if magic == MACH_O:
        [processor] = struct.unpack("<I", file.read(4))
        if processor in MAC_PROCESSORS:
            arch, cpu, oldest = MAC_PROCESSORS[processor]
            return Platform(f"{arch}-apple-darwin", "darwin", cpu, f"macosx_{oldest}_{cpu.replace('x64', 'x86_64')}")
    sys.exit(f"{source} is no binary for Linux or macOS")


def linux(elf, source):
    if elf["e_machine"] not in ARCHITECTURES:
        sys.exit(f"{source} is a binary for {elf['e_machine']}, for which there are no packages")
    arch, cpu, deb_arch = ARCHITECTURES[elf["e_machine"]]
    glibc = newest_glibc(elf)
    if not glibc:
        sys.exit(f"{source} does not use glibc: packages for musl are not made")
    major, minor = glibc
    return Platform(f"{arch}-unknown-linux-gnu", "linux", cpu, f"manylinux_{major}_{minor}_{arch}", deb_arch, f"{major}.{minor}")


def newest_glibc(elf):
    """Returns the newest version of glibc that the binary needs; None if it needs none."""
    versions = []
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, needs in section.iter_versions():
                versions += [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", need.name) for need in needs]
    found = [(int(version[1]), int(version[2])) for version in versions if version]
    return max(found, default=None)


def version_of(binary, source):
    """Returns the version that the binary prints. Binaries of other architectures run only where an emulator is installed."""
    try:
        printed = subprocess.run([binary, "--version"], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"{source} does not run here: {error}")
    words = printed.stdout.split()
    if printed.returncode != 0 or len(words) < 2 or words[0] != "stackgen":
        sys.exit(f"{source} is not stackgen: `--version` printed {printed.stdout.partition(chr(10))[0]!r}")
    return words[1]


@contextmanager
def stripped(binary):
    """Yields a copy of the binary without symbols, named `stackgen`."""
    with open(binary, "rb") as file:
        platform_of(file, binary)
    with tempfile.TemporaryDirectory(prefix="stackgen-dist-") as folder:
        copy = Path(folder) / "stackgen"
        shutil.copyfile(binary, copy)
        copy.chmod(0o755)
        subprocess.run(["strip", copy], check=True)
        yield copy


def licence_files():
    """Returns the licences' files."""
    return [ROOT / name for name in LICENCES]
