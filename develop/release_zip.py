"""Pack files into a zip that is the same wherever it is built.

The files are named on standard input. `scripts/release` runs this with whatever
Python there is, 3.11 or newer.
"""

from pathlib import Path
import sys
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

# The oldest that a zip can tell; the real times differ from checkout to checkout.
TIME: Final = (1980, 1, 1, 0, 0, 0)
UNIX: Final = 3
# A plain file that its owner may write and everybody read.
MODE: Final = 0o100644


def main() -> int:
    """Pack what a folder holds, without the folder itself."""
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    names = sorted(
        Path(line).relative_to(folder).as_posix()
        for line in sys.stdin.read().split("\n")
        if line
    )
    # Not compressed: every version of every library packs a little differently.
    new = target.with_name(f"{target.name}.new")
    with ZipFile(new, "w", ZIP_STORED) as archive:
        for name in names:
            info = ZipInfo(name, TIME)
            info.create_system = UNIX
            info.external_attr = MODE << 16
            archive.writestr(info, (folder / name).read_bytes())
    new.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
