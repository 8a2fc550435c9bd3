"""SeqDis: compare disentangled sequence models. `snakemake --cores 8` makes the report."""

import os
import sys

from seqdis import raw_config, rule_environments, targets
from seqdis.errors import user_errors
from snakemake.utils import min_version

min_version("9.27")

CONFIGFILE = "config/config.yaml"
with user_errors():  # Snakemake's own message names neither file nor line
    raw_config.read_yaml(CONFIGFILE)


configfile: CONFIGFILE


# Rules call `python`, which without --use-conda must be the one that runs Snakemake, also
# where its environment is not active. A conda environment still goes before it.
bin = os.path.dirname(sys.executable)
os.environ.update(PATH=os.pathsep.join([bin, os.environ.get("PATH", "")]))

# Jobs keep the memory that a training step frees for the next one, in huge pages: glibc
# reads this when a process starts; other C libraries ignore it (docs/lab_notes.md).
os.environ.setdefault(
    "GLIBC_TUNABLES",
    "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:"
    "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=1073741824",
)


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/judge.smk"
include: "workflow/rules/train.smk"


for path in RULE_FILES:

    include: path.resolve()


include: "workflow/rules/select.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/studies.smk"


localrules:
    all,
    data,
    grid,
    study_grid,
    report_partial,
    reproduce,
    export,
    tables_partial,


rule all:
    """The comparison report of the tier."""
    default_target: True
    input:
        f"{PART}/report/index.html",


rule data:
    """Only the datasets."""
    input:
        expand(f"{TIER}/data/{{dataset}}/dataset.json", dataset=PLAN.datasets),


with user_errors():
    rule_environments.find_inherited(workflow, RULES)
    if workflow.is_main_process:
        targets.check_targets(workflow, PLAN)
