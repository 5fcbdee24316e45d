"""Servers of databases, brokers, Windows networks, tunnels, telephony and datagrams. Numbers: standard ones and 30000 up."""

from __future__ import annotations

from tests.servers.recipe import Recipe
from tests.servers.recipes.data_databases import DATABASES
from tests.servers.recipes.data_networks import NETWORKS
from tests.servers.recipes.data_queues import QUEUES

RECIPES: tuple[Recipe, ...] = (*DATABASES, *QUEUES, *NETWORKS)
