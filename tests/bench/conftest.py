"""Lets the tests of the measures find the modules they are about; they need neither root nor a network."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "netns")]
sys.dont_write_bytecode = True
