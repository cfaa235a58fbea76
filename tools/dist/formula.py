"""Homebrew formula. It names the archives that the folder holds, so it is made after all archives."""

import hashlib

# Archives by platform, and the blocks of a formula that stand for them.
PLATFORMS = [
    ("x86_64-unknown-linux-gnu", "on_linux", "on_intel"), ("aarch64-unknown-linux-gnu", "on_linux", "on_arm"),
    ("x86_64-apple-darwin", "on_macos", "on_intel"), ("aarch64-apple-darwin", "on_macos", "on_arm"),
]


def make(release, out):
    """Writes `stackgen.rb`, if there is an archive that it can name."""
    blocks = []
    for target, system, processor in PLATFORMS:
        name = f"stackgen-{release.version}-{target}.tar.gz"
        if (out / name).exists():
            digest = hashlib.sha256((out / name).read_bytes()).hexdigest()
            url = f"{release.repository}/releases/download/v{release.version}/{name}"
            blocks += [f"  {system} do", f"    {processor} do", f'      url "{url}"', f'      sha256 "{digest}"', "    end", "  end"]
    if not blocks:
        return []
    file = out / "stackgen.rb"
    file.write_text("\n".join([
        "class Stackgen < Formula",
        f'  desc "{release.summary.rstrip(".")}"',
        f'  homepage "{release.repository}"',
        f'  version "{release.version}"',
        '  license any_of: ["Apache-2.0", "MIT"]',
        "",
        *blocks,
        "",
        "  def install",
        '    bin.install "stackgen"',
        '    man1.install Dir["man/*.1"]',
        '    bash_completion.install "completions/stackgen"',
        '    zsh_completion.install "completions/_stackgen"',
        '    fish_completion.install "completions/stackgen.fish"',
        "  end",
        "",
        "  test do",
        '    assert_match version.to_s, shell_output("#{bin}/stackgen --version")',
        "  end",
        "end",
        "",
    ]))
    return [file]
