"""What stores are compared by: groups of stores, and which figures of them count.

Shared by the job that releases benchmarks of industries and by those who show them beside
a store's figures. Not for the rule that protects retailers (`beam_jobs.benchmark.privacy`).
"""

from tenpo.benchmark.compared import COMPARED, Quartiles, figure_of, quartiles
from tenpo.benchmark.groups import Group, group_of

__all__ = ["COMPARED", "Group", "Quartiles", "figure_of", "group_of", "quartiles"]
