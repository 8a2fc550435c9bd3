"""Videos of drawn faces in the layout of Aff-Wild's first challenge.

videos/train/<id>.mp4 or .avi
annotations/train/valence/<id>.txt, annotations/train/arousal/<id>.txt
bboxes/train/<id>/<frame>.pts, landmarks/train/<id>/<frame>.pts
people.csv
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from datasets.drawn.face import box, draw, landmarks
from datasets.drawn.look import FACTORS, Look, State, looks, performance
from datasets.faces.annotations import to_text
from datasets.faces.video import encode
from seqdis.files import sha256_of, sha256_of_tree, write_text

PEOPLE, FRAMES, SIZE, RATE = 300, 20, 96, 10  # many people matter more than long videos
SEED = 1


def embed_affwild(out: Path, people: int = PEOPLE) -> dict[str, Any]:
    """Draw one video of every person, and annotate it; return the manifest.

    Numbers of videos have gaps and every fifth is an .avi, as in the release.
    """
    rng = np.random.default_rng(SEED)
    cast = list(looks(people, rng))
    numbers = 101 + np.sort(rng.choice(5 * people, people, replace=False))
    boxes, points = out / "bboxes" / "train", out / "landmarks" / "train"
    paths = []
    with whole_folder(boxes) as new_boxes, whole_folder(points) as new_points:
        for k, look in enumerate(cast):
            name = str(numbers[k])
            video = f"videos/train/{name}.{'avi' if k % 5 == 4 else 'mp4'}"
            states = performance(FRAMES, RATE, rng)
            film(out, video, look, states)
            write_tree(new_points / name, [landmarks(s, SIZE) for s in states])
            write_tree(new_boxes / name, [box(s, SIZE) for s in states])
            paths += [video, *annotation_paths(name)]
    write_text(out / "people.csv", table(cast, numbers))
    files = {path: sha256_of(out / path) for path in sorted(paths)}
    files["people.csv"] = sha256_of(out / "people.csv")
    files |= {str(t.relative_to(out)): sha256_of_tree(t) for t in (boxes, points)}
    return {
        "collection": "affwild",
        "homepage": "",
        "licence": "MIT",
        # Heads do not nod, and the opening of the mouth is arousal.
        "unjudged": ["pitch", "mouth_opening"],
        "credits": [
            "Faces drawn by this suite's own code in the layout of Aff-Wild; no frame "
            "of the original videos is in them"
        ],
        "files": [
            {"path": path, "sha256": digest, "url": "", "authors": ""}
            for path, digest in files.items()
        ],
    }


def annotation_paths(name: str) -> list[str]:
    """Return the paths of a video's valence and arousal."""
    return [f"annotations/train/{key}/{name}.txt" for key in ("valence", "arousal")]


def film(out: Path, video: str, look: Look, states: list[State]) -> None:
    """Write a video with valence and arousal."""
    encode(out / video, (draw(look, state, SIZE) for state in states), RATE)
    for path in annotation_paths(Path(video).stem):
        key = Path(path).parent.name
        lines = [f"{getattr(state, key):.3f}\n" for state in states]
        write_text(out / path, "".join(lines))


def table(cast: list[Look], numbers: np.ndarray) -> str:
    """Return people.csv: who is in each video, and the static factors in words."""
    rows = [["video", "person", *FACTORS]]
    for k, look in enumerate(cast):
        words = [values[look[i]] for i, values in enumerate(FACTORS.values())]
        rows.append([str(numbers[k]), f"p{k:03}", *words])
    return "".join(",".join(row) + "\n" for row in rows)


def write_tree(folder: Path, shapes: list[np.ndarray]) -> None:
    """Write one .pts file per frame, plainly: `whole_folder` makes all safe at once."""
    folder.mkdir()
    for number, points in enumerate(shapes, 1):
        path = folder / f"{number}.pts"
        path.write_text(to_text(points), encoding="utf-8", newline="\n")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` which replaces it on success.

    One flush for thousands of small files, where `seqdis.files` would take one each.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        os.sync()
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
