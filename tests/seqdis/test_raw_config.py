"""The config as the command line gives it."""

import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.cli import parse_config

from seqdis.raw_config import read_nested_values

names = st.text("abcdef", min_size=1, max_size=4)
scalars = st.one_of(st.integers(), st.booleans(), st.floats(-9, 9), names, st.none())
nested = st.recursive(
    scalars, lambda x: st.one_of(st.lists(x), st.dictionaries(names, x)), max_leaves=8
)


@given(st.one_of(st.lists(nested), st.dictionaries(names, nested)))
def test_lists_and_mappings_of_the_command_line_have_the_types_of_yaml(value):
    text = yaml.safe_dump(value, default_flow_style=True).strip()
    read = parse_config([f"key={text}"])
    config = {"key": {"kept": 1} if isinstance(value, dict) else 1, "other": "1"}
    read_nested_values(config, read)
    expected = {"kept": 1, **value} if isinstance(value, dict) else value
    assert config == {"key": expected, "other": "1"}
    read_nested_values(config, read)  # a job of the workflow reads it once more
    assert config == {"key": expected, "other": "1"}
