"""Small grids with one change at a time, each with a page of its own.

REQUIRED: cells of the tier. OUTPUTS: {part}/studies/{study}/index.html.
"""

STUDY = f"{PART}/studies/{{study}}"
REORDERED = CELL.replace("{model}", studies.name_shuffled("{model}"))


rule reorder:
    """Encode a cell's clips in other orders, and f from fewer and more frames."""
    input:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
        pairs=f"{DATA}/pairs.parquet",
        code=list_code("training.reorder"),
    output:
        run=f"{REORDERED}/run.json",
        representation=f"{REORDERED}/representation.npz",
        order=f"{REORDERED}/order.npz",
    log:
        f"{LOGS}/reorder/{{dataset}}/{{model}}/seed{{seed}}.log",
    wildcard_constraints:
        model=match_any(PLAN.trained),
    conda:
        "../../envs/torch.yaml"
    resources:
        gpu=GPU,
    params:
        cell=subpath(input.run, parent=True),
        data=subpath(input.pairs, parent=True),
        out=subpath(output.run, parent=True),
    shell:
        "python -m training.reorder --cell {params.cell:q} --data {params.data:q} "
        "--out {params.out:q} 2>&1 | tee {log:q}"


rule score_orders:
    """Score what order and number of frames do to f."""
    input:
        run=f"{CELL}/run.json",
        order=f"{CELL}/order.npz",
        pairs=f"{DATA}/pairs.parquet",
        code=list_code("evaluation.order"),
    output:
        f"{CELL}/order.parquet",
    log:
        f"{LOGS}/score_orders/{{dataset}}/{{model}}/seed{{seed}}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        cell=subpath(input.run, parent=True),
        data=subpath(input.pairs, parent=True),
    shell:
        "python -m evaluation.order --data {params.data:q} --cell {params.cell:q} "
        "2>&1 | tee {log:q}"


rule study_grid:
    """Write down every cell of a study."""
    input:
        check_study_page,
    output:
        f"{STUDY}/grid.json",
    log:
        f"{PAGE_LOGS}/studies/{{study}}_grid.log",
    conda:
        "../../envs/data.yaml"
    params:
        grid=get_study_grid,
    shell:
        "python -m seqdis.grid {params.grid:q} {output:q} 2>&1 | tee {log:q}"


rule study_tables:
    """Gather the cells of a study, with intervals."""
    input:
        grid=f"{STUDY}/grid.json",
        cells=list_study_files,
        code=list_code("evaluation.summary", *METRIC_MODULES),
    output:
        f"{STUDY}/tables/summary.parquet",
        f"{STUDY}/tables/changes.parquet",
        f"{STUDY}/tables/metrics.json",
    log:
        f"{PAGE_LOGS}/studies/{{study}}_tables.log",
    conda:
        "../../envs/torch.yaml"
    params:
        results=lambda wildcards: TIER,
        tables=subpath(output[0], parent=True),
        metrics=METRICS,
    shell:
        "python -m evaluation.summary --results {params.results:q} --grid {input.grid:q} "
        "--out {params.tables:q} {params.metrics:q} 2>&1 | tee {log:q}"


rule study_page:
    """The page of a study."""
    input:
        grid=f"{STUDY}/grid.json",
        tables=rules.study_tables.output,
        code=list_code("reporting.study"),
        templates=[str(path) for path in sorted(Path("reporting/templates").glob("*"))],
    output:
        f"{STUDY}/index.html",
    log:
        f"{PAGE_LOGS}/studies/{{study}}_page.log",
    conda:
        "../../envs/report.yaml"
    params:
        results=lambda wildcards: TIER,
        folder=subpath(output[0], parent=True),
    shell:
        "python -m reporting.study --results {params.results:q} "
        "--study {params.folder:q} 2>&1 | tee {log:q}"


for study in PLAN.studies:

    rule:
        name:
            study
        input:
            f"{PART}/studies/{study}/index.html",
