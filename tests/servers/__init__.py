"""Real servers from Debian's packages, started for comparisons, recordings and tests: recipes and their farm.

A recipe (``recipe.py``) says which packages a server needs, how to start it in a folder of its own inside a network
namespace and what a scanner must find. ``recipes/`` gathers them; ``farm.py`` runs any choice of them.
"""
