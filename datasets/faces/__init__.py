"""Videos of faces to a frame store: found, followed, cut out, gathered.

- `affwild_first`, `affwild_second`, `grid_clips`: where a release has its videos and
  annotations. The kinds `datasets.affwild` and `datasets.grid` choose among them.
- `annotations`: what a release says of a video; `video`: its frames.
- `detector`, `landmarks`, `tracking`: where the face is, how it is held, and which
  frames make sequences.
- `crops`: one video to one piece; `store`: all pieces to one frame store;
  `command`: the command line of both steps.
"""
