"""Tables and pictures to one page.

REQUIRED: {part}/tables/*. OUTPUTS: {part}/report/index.html.
"""


rule report:
    """The comparison page: opens from disk, offline."""
    input:
        grid=f"{PART}/grid.json",
        tables=rules.tables.output,
        code=list_code("reporting.page"),
        templates=[str(path) for path in sorted(Path("reporting/templates").glob("*"))],
        published=[str(path) for path in sorted(Path("results/published").glob("*"))],
        trials=[str(path) for path in Path(KEPT).glob("trials.csv")],
    output:
        report(
            f"{PART}/report/index.html",
            caption="../report/page.rst",
            category="Comparison",
        ),
    log:
        f"{PAGE_LOGS}/report.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=lambda wildcards: TIER,
        part=subpath(input.grid, parent=True),
        folder=subpath(output[0], parent=True),
        benchmarks=lambda wildcards: (
            f"--benchmarks {BENCHMARKS}" if Path(BENCHMARKS).exists() else ""
        ),
    shell:
        "python -m reporting.page --results {params.results:q} --part {params.part:q} "
        "--out {params.folder:q} {params.benchmarks} 2>&1 | tee {log:q}"


rule tables_partial:
    """Gather whatever cells are there, after a run in which something failed."""
    input:
        grid=f"{PART}/grid.json",
    output:
        temp(touch(f"{PART}/tables/partial")),
    log:
        f"{PAGE_LOGS}/tables_partial.log",
    conda:
        "../../envs/torch.yaml"
    params:
        results=lambda wildcards: TIER,
        part=subpath(input.grid, parent=True),
        metrics=METRICS,
    shell:
        "python -m evaluation.summary --results {params.results:q} --grid {input.grid:q} "
        "--out {params.part:q}/tables {params.metrics:q} 2>&1 | tee {log:q}"


rule report_partial:
    """A page of whatever is there."""
    input:
        grid=f"{PART}/grid.json",
        tables=f"{PART}/tables/partial",
    log:
        f"{PAGE_LOGS}/report_partial.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=lambda wildcards: TIER,
        part=subpath(input.grid, parent=True),
    shell:
        "python -m reporting.page --results {params.results:q} --part {params.part:q} "
        "--out {params.part:q}/report 2>&1 | tee {log:q}"


rule reference:
    """Keep a finished tier's tables and verdicts under version control.

    The table of trials stays: `select` writes it.
    """
    input:
        grid=get_whole_tier,
        page=f"{TIER}/report/index.html",
    log:
        f"{LOGS}/reference.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=subpath(input.grid, parent=True),
        kept=KEPT,
    shell:
        "mkdir -p {params.kept:q} && "
        "find {params.kept:q} -mindepth 1 -maxdepth 1 ! -name trials.csv "
        "-exec rm -rf {{}} + && "
        "tar -C {params.results:q} -cf - --exclude='reproduction.*' "
        "grid.json tables $(cd {params.results:q} && ls -d "
        "judges/*/judge.json report/tables/*.csv report/tables/*.md "
        "*/*/seed*/run.json) 2> {log:q} | tar -C {params.kept:q} -xf -"


rule reproduce:
    """Compare the run with the reference kept for its tier, cell by cell."""
    input:
        grid=get_whole_tier,
        tables=rules.tables.output,
        page=f"{TIER}/report/index.html",
    log:
        f"{LOGS}/reproduce.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=subpath(input.grid, parent=True),
    shell:
        "python -m reporting.reproduce --results {params.results:q} "
        "--out {params.results:q}/report/tables 2>&1 | tee {log:q}"


rule export:
    """Pack the tier for an archive, with RO-Crate metadata."""
    input:
        grid=get_whole_tier,
        page=f"{TIER}/report/index.html",
        code=list_code("reporting.export"),
    output:
        f"{TIER}/seqdis-results.zip",
    log:
        f"{LOGS}/export.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=subpath(input.grid, parent=True),
    shell:
        "python -m reporting.export --results {params.results:q} --out {output:q} "
        "2>&1 | tee {log:q}"
