"""The notebook examples/tour.ipynb, on the tiny tier."""

import os
import subprocess
import sys

import pytest

# Runs the code of a notebook as a kernel does: all cells in order, in one namespace.
# It ends with numbers that the test looks at.
RUN = """
import json
import matplotlib
matplotlib.use("agg")
with open("tour.ipynb", encoding="utf-8") as file:
    cells = json.load(file)["cells"]
for cell in cells:
    if cell["cell_type"] == "code":
        text = "".join(cell["source"]).replace('TIER = "default"', 'TIER = "tiny"')
        exec(compile(text, cell["id"], "exec"))
kept = mine.set_index("model")["colour_kept"]
print(kept["copy_source"], kept["copy_donor"], *swapped.shape)
"""


@pytest.mark.slow
def test_the_tour_runs_without_a_warning(finished):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        cwd=finished.path / "examples",
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    *_, last = done.stdout.splitlines()
    source, donor, *shape = map(float, last.split())
    assert (source, donor) == (1, 0) and shape == [8, 8, 32, 32, 3]
