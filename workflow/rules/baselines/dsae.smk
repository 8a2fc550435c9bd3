use rule train_baseline as train_dsae with:
    wildcard_constraints:
        model=entries("dsae"),
