"""Videos of faces to a frame store: found, followed, cut out, gathered.

- `affwild_first`, `affwild_second`, `grid_clips`: where a release has its videos and
  annotations. The kinds `datasets.affwild` and `datasets.grid` choose among them.
- `names`: which file is of which video and frame; `people`: who is in each video.
- `annotations`: what a release says of a video; `video`: its frames; `clock`: when
  they are shown.
- `boxes`: which box can be of a face. `detector`, `landmarks`, `tracking`: where the
  face is, how it is held, and which frames make sequences.
- `crops`: one video to one piece; `store`: all pieces to one frame store;
  `command`: the command line of both steps.
"""
