"""Servers of text protocols: shells, names, mail, files, chat, infrastructure. Numbers: standard, and 2100 to 2999."""

from __future__ import annotations

from tests.servers.recipe import Recipe
from tests.servers.recipes.text_chat import CHAT
from tests.servers.recipes.text_files import FILES
from tests.servers.recipes.text_infrastructure import INFRASTRUCTURE
from tests.servers.recipes.text_mail import MAIL
from tests.servers.recipes.text_names import NAMES
from tests.servers.recipes.text_shells import SHELLS

RECIPES: tuple[Recipe, ...] = (*SHELLS, *NAMES, *MAIL, *FILES, *CHAT, *INFRASTRUCTURE)
