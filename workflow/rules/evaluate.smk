"""Representations to scores to tables.

REQUIRED: run.json and representation.npz of every cell. OUTPUTS: {part}/tables/*.
"""


rule score:
    """Score one cell; a cell that is not done gets a row that says so."""
    input:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
        pairs=f"{DATA}/pairs.parquet",
        judge=list_judge,
        code=list_code("evaluation.score", *METRIC_MODULES),
    output:
        metrics=f"{CELL}/metrics.parquet",
        judged=f"{CELL}/judged.parquet",
        resampled=f"{CELL}/resampled.parquet",
    log:
        f"{LOGS}/score/{{dataset}}/{{model}}/seed{{seed}}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        data=subpath(input.pairs, parent=True),
        cell=subpath(input.run, parent=True),
        judges=lambda wildcards, input: (
            f"--judges {Path(input.judge[0]).parent}" if input.judge else ""
        ),
        metrics=METRICS,
    shell:
        "python -m evaluation.score --data {params.data:q} {params.judges} "
        "--cell {params.cell:q} {params.metrics:q} 2>&1 | tee {log:q}"


rule grid:
    """Write down every cell that ought to exist."""
    input:
        check_page,
    output:
        f"{PART}/grid.json",
    log:
        f"{PAGE_LOGS}/grid.log",
    conda:
        "../../envs/data.yaml"
    params:
        grid=get_tier_grid,
    shell:
        "python -m seqdis.grid {params.grid:q} {output:q} 2>&1 | tee {log:q}"


rule tables:
    """Gather all cells; intervals, ranks and the leaderboard."""
    input:
        grid=f"{PART}/grid.json",
        metrics=list_cells("metrics.parquet"),
        runs=list_cells("run.json"),  # read too, so made again where one is missing
        code=list_code("evaluation.summary", *METRIC_MODULES),
    output:
        multiext(
            f"{PART}/tables/",
            "metrics.parquet",
            "summary.parquet",
            "leaderboard.parquet",
            "factors.parquet",
            "metrics.json",
        ),
    log:
        f"{PAGE_LOGS}/tables.log",
    conda:
        "../../envs/torch.yaml"
    params:
        results=lambda wildcards: TIER,
        tables=subpath(output[0], parent=True),
        metrics=METRICS,
    shell:
        "python -m evaluation.summary --results {params.results:q} --grid {input.grid:q} "
        "--out {params.tables:q} {params.metrics:q} 2>&1 | tee {log:q}"
