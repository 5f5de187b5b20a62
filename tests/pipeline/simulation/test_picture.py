from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from pipeline.simulation.picture import draw


def test_the_picture_is_svg_with_every_room_receiver_and_antenna(hospital, walks):
    root = ElementTree.fromstring(draw(hospital, walks, assets=2))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    antennas = sum(len(reader.antennas) for reader in hospital.readers)
    assert tags.count("rect") == len(hospital.spaces) + 1
    assert tags.count("circle") == len(hospital.receivers) + antennas
    assert tags.count("line") > len(hospital.walls)
    texts = {element.text for element in root.iter() if element.text}
    assert {"mri", "pharmacy", "room-201"} <= texts


def test_everything_lies_on_the_page(hospital, walks):
    root = ElementTree.fromstring(draw(hospital, walks))
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        for name, limit in (("x1", width), ("y1", height), ("cx", width), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= limit
