"""Databases, brokers, Windows networks, tunnels, telephony, datagrams. Numbers: standard ones and from 30000."""

from __future__ import annotations

from tests.servers.recipe import Recipe
from tests.servers.recipes.data_databases import DATABASES
from tests.servers.recipes.data_devices import DEVICES
from tests.servers.recipes.data_networks import NETWORKS
from tests.servers.recipes.data_queues import QUEUES

RECIPES: tuple[Recipe, ...] = (*DATABASES, *QUEUES, *NETWORKS, *DEVICES)
