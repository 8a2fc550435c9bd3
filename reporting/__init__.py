"""One static page that compares every cell of a grid, made from files only.

`page` assembles; `collect` reads the results tree; `score_tables`, `leaderboard` and
`run_tables` choose the numbers; `tables` writes them as CSV, Markdown and LaTeX;
`preprocessing` tells of videos; `curves`, `manifolds`, `traces` and `swap_pictures`
draw; `words` holds every label.
"""
