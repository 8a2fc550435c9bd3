"""One static page that compares every cell of a grid, made from files only.

`page` assembles it. `tree` reads the results, `metrics` what each score means, `scores`
looks scores up and says why one is missing. `leaderboard`, `score_tables`,
`probe_matrix`, `agreement`, `cost` and `reproduce` choose the numbers, `tables` writes
them as CSV, Markdown and LaTeX. `overview` is the first screen, `paper_tables` and
`bibliography` are for papers. `pictures`, `figures`, `points` and `axes` draw.
`provenance` has commands, cautions and model cards, `published` the numbers of
others. `study` is the page of a study, `export` the archive, `words` the formats.
"""
