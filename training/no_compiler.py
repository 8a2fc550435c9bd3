"""Keep Adam from importing torch's compiler, which nothing here uses: a second a job.

torch 2.14 imports the whole compiler to mark some methods of optimisers as not to be
compiled. Here they are what they are without the mark; a step takes no gradients.
"""

import torch
from torch.optim import Adam, Optimizer

for name in ("state_dict", "load_state_dict", "add_param_group", "zero_grad"):
    marked = getattr(Optimizer, name)
    setattr(Optimizer, name, getattr(marked, "__wrapped__", marked))
marked = Adam.step
Adam.step = torch.no_grad()(getattr(marked, "__wrapped__", marked))  # type: ignore[method-assign]
