use rule train_baseline as train_svg with:
    wildcard_constraints:
        model=entries("svg"),
