use rule train_baseline as train_mocogan with:
    wildcard_constraints:
        model=entries("mocogan"),
