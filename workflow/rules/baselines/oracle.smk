use rule write_baseline as write_oracle with:
    wildcard_constraints:
        model=entries("oracle"),
