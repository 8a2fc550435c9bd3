"""A program of its own, in an environment of its own."""


use rule run_program as run_pca with:
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{DATA}/pairs.parquet",
        code="examples/pca/pca.py",
    wildcard_constraints:
        model=entries("pca"),
    conda:
        "env.yaml"
    params:
        program="python examples/pca/pca.py",
