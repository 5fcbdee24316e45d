"""Reading our XML as others do: Nmap's own document type, python-libnmap, python-nmap."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

DOCUMENT_TYPE = Path("/usr/share/nmap/nmap.dtd")


@cache
def _document_type() -> etree.DTD:
    with DOCUMENT_TYPE.open("rb") as file:
        return etree.DTD(file)


def validated(document: str) -> etree._Element:
    """The root element of a well-formed document that is valid against the installed Nmap's document type."""
    root = etree.fromstring(document.encode())
    if not DOCUMENT_TYPE.exists():
        pytest.skip(f"{DOCUMENT_TYPE} (Debian package nmap) is not installed")
    document_type = _document_type()
    assert document_type.validate(root), document_type.error_log.filter_from_errors()
    return root


def read_by_libnmap(document: str) -> Any:
    """The report of python-libnmap."""
    from libnmap.parser import NmapParser

    return NmapParser.parse_fromstring(document)


def read_by_python_nmap(document: str) -> Any:
    """The scanner object of python-nmap, its results filled from the document (no program is run)."""
    from nmap import PortScanner

    scanner = PortScanner.__new__(PortScanner)
    scanner.analyse_nmap_xml_scan(document)
    return scanner
