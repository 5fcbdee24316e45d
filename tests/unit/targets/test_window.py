from ipaddress import ip_address

import numpy as np

from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.targets.address_set import AddressSet
from leadline.targets.shape import Octets, Span
from leadline.targets.window import Item, Packer, Targets, Window

PORTS = PortSet({Protocol.TCP: (80,)})


def index(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_items_lie_end_to_end() -> None:
    window = Window([Item(Span(4, 10, 3)), Item(Octets(((0,), (0,), (1, 2), (7,)))), Item(Span(4, 99))])
    assert window.size == 6
    (targets,) = window.targets(index(0, 1, 2, 3, 4, 5))
    assert targets.lo.tolist() == [10, 11, 12, 256 + 7, 512 + 7, 99]
    (targets,) = window.targets(index(5, 4, 0))
    assert targets.lo.tolist() == [99, 512 + 7, 10]


def test_families_are_parted() -> None:
    window = Window([Item(Span(6, 1 << 64, 2)), Item(Span(4, 5))])
    four, six = window.targets(index(0, 1, 2))
    assert (four.family, four.lo.tolist()) == (4, [5])
    assert (six.family, six.hi.tolist(), six.lo.tolist()) == (6, [1, 1], [0, 1])


def test_six_carries_into_the_upper_half() -> None:
    (targets,) = Window([Item(Span(6, (1 << 64) - 1, 2))]).targets(index(0, 1))
    assert (targets.hi.tolist(), targets.lo.tolist()) == ([0, 1], [(1 << 64) - 1, 0])


def test_addresses_can_be_left_out_one_by_one() -> None:
    left_out = AddressSet()
    left_out.add(Span(4, 11))
    kept = Item(Span(4, 11), name="kept", named=ip_address("0.0.0.11"))
    window = Window([Item(Span(4, 10, 3), without=(left_out,)), kept])
    (targets,) = window.targets(index(0, 1, 2, 3))
    assert targets.lo.tolist() == [10, 12, 11]
    assert targets.notes[2].name == "kept"
    assert window.targets(index(1)) == []


def test_a_packer_gives_full_blocks_and_keeps_notes_in_place() -> None:
    item = Item(Span(4, 3), "three.example", ip_address("0.0.0.3"), (ip_address("::3"),), "eth0", PORTS)
    packer = Packer(4, 4)
    zeros = np.zeros(3, np.uint64)
    assert packer.add(Targets(4, zeros, index(1, 2, 3), {2: item})) == []
    (block,) = packer.add(Targets(4, zeros, index(4, 3, 6), {1: item}))
    assert block.lo.tolist() == [1, 2, 3, 4]
    assert (block.names, block.scopes, block.port_sets) == ({2: "three.example"}, {2: "eth0"}, {2: PORTS})
    assert block.others == {2: (ip_address("::3"),)}
    (rest,) = packer.rest()
    assert rest.lo.tolist() == [3, 6]
    assert rest.names == {0: "three.example"}
    assert packer.rest() == []


def test_one_large_part_gives_many_blocks() -> None:
    packer = Packer(4, 2)
    blocks = packer.add(Targets(4, np.zeros(5, np.uint64), index(1, 2, 3, 4, 5)))
    assert [block.lo.tolist() for block in blocks] == [[1, 2], [3, 4]]
    assert [block.lo.tolist() for block in packer.rest()] == [[5]]


def test_a_name_belongs_to_its_address_alone() -> None:
    item = Item(Span(4, 0, 4), "two.example", ip_address("0.0.0.2"), ports=PORTS)
    packer = Packer(4, 4)
    (block,) = packer.add(Window([item]).targets(index(0, 1, 2, 3))[0])
    assert block.names == {2: "two.example"}
    assert set(block.port_sets) == {0, 1, 2, 3}
