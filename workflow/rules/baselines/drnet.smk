use rule train_baseline as train_drnet with:
    wildcard_constraints:
        model=entries("drnet"),
