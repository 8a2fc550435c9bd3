"""One static page that compares every cell of a grid, made from files only.

`page` assembles; `collect` reads the results tree; `states` says what became of every
cell and why a number is missing; `leaderboard`, `aggregates`, `failure_modes`,
`score_tables`, `metric_agreement`, `cost` and `tool_tables` choose the numbers;
`tables` writes them as CSV, Markdown and LaTeX;
`cards` describes the models, `preprocessing` the videos; `curves`, `manifolds`,
`traces` and `swap_pictures` draw; `words` holds every label.
"""
