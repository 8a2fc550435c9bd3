"""The clips of GRID, where they lie: in one archive per speaker, or as samples."""

import re
from pathlib import Path, PurePosixPath
from zipfile import Path as ZipPath
from zipfile import ZipFile

from datasets.faces.annotations import Video, annotate_nothing
from datasets.faces.names import compose, index_names, is_hidden
from seqdis.errors import UserError
from seqdis.files import readable

# The unseen speakers of Assael et al. (2016), arXiv:1611.01599.
UNSEEN = ("s1", "s2", "s20", "s22")
# Two of the sample clips show one man.
SAME = {"id2_vcd_swwp2s": "pwij3p"}


def list_samples(folder: Path) -> list[Video]:
    """List the sample clips, `<clip>.mpg`, in any folder below.

    Raises:
        UserError: two clips have one name.
    """
    clips = index_names(
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() == ".mpg"
        and not is_hidden(str(path.relative_to(folder)))
    )
    return [
        Video(name, path, SAME.get(name, name), "", {}, (), annotate_nothing)
        for name, path in clips.items()
    ]


def list_clips(folder: Path, clips: int) -> list[Video]:
    """List some clips of every speaker, from `<speaker>.zip`."""
    archives = sorted(folder.glob("s*.zip"), key=lambda p: (len(p.name), p.name))
    return [clip for path in archives for clip in list_speaker(path, clips)]


def list_speaker(archive: Path, clips: int) -> list[Video]:
    """List some clips of one speaker, evenly spread. They are read where they lie.

    Nothing is unpacked, so no member of an archive can be written anywhere.

    Raises:
        UserError: the archive cannot be read, holds no clip, or two of one name.
    """
    speaker = archive.stem
    with readable(archive, "delete it and rerun: it will be fetched again."):
        opened = ZipFile(archive)
    found: dict[str, str] = {}
    for member in sorted(opened.namelist()):
        if is_hidden(member) or not re.search(r"(?i)(^|/)\w{1,99}\.mpg$", member):
            continue
        name = compose(PurePosixPath(member).stem)
        if name in found:
            raise UserError(
                f"{archive} holds two clips called {name}: {found[name]} and {member}. "
                "Delete it and rerun: it will be fetched again."
            )
        found[name] = member
    if not found:
        raise UserError(
            f"{archive} holds no clip (.mpg). Delete it and rerun: it will be fetched "
            "again."
        )
    split = "test" if speaker in UNSEEN else ""
    chosen = list(found.items())[:: max(1, len(found) // clips)][:clips]
    return [
        Video(
            f"{speaker}_{name}", ZipPath(opened, member), speaker, split, {}, (),
            annotate_nothing,
        )
        for name, member in chosen
    ]  # fmt: skip
