"""The file of keys: who may read it, what is in it, and what never leaves it."""

import pytest

from edge_agent.tag_keys import load

IRK, KEY = "ec0234a357c8ad05341010a60a397d9b", "231D39C1D7CC1AB1AEE224CD096DB932"
GOOD = f'[irk]\nnurse-7 = "{IRK}"\n[sensors]\n"54:48:E6:8F:80:A5" = "{KEY}"\n'


@pytest.fixture
def write(tmp_path):
    def make(text, mode=0o600):
        path = tmp_path / "tag-keys.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    return make


def test_keys(write):
    keys = load(write(GOOD))
    assert keys.irks == {"nurse-7": bytes.fromhex(IRK)}
    assert keys.sensors == {"5448e68f80a5": bytes.fromhex(KEY)}
    assert load(write("")).irks == {}


def test_they_do_not_show(write):
    assert IRK not in repr(load(write(GOOD))) and KEY not in str(load(write(GOOD)))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o666, 0o601])
def test_a_file_that_others_can_read_is_refused(write, mode):
    with pytest.raises(ValueError, match="chmod 640"):
        load(write(GOOD, mode))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_modes_that_are_good(write, mode):
    assert load(write(GOOD, mode)).irks


@pytest.mark.parametrize(
    "text, said",
    [
        (f'[irk]\nnurse-7 = "{IRK[:-1]}"', "key of nurse-7 is not 32"),
        (f'[irk]\nnurse-7 = "{IRK[:-1]}x"', "key of nurse-7 is not 32"),
        ("[irk]\nnurse-7 = 7", "key of nurse-7 is not 32"),
        (f'[irk]\n"Nurse 7" = "{IRK}"', "'Nurse 7' is not a name"),
        (f'[sensors]\n"54:48" = "{KEY}"', "'54:48' is not an address"),
        (f'[sensors]\n"54:48:E6:8F:80:A5" = "{KEY}"\n5448e68f80a5 = "{KEY}"', "twice"),
        ("irk = 1", "irk is not a section"),
        (f'[irks]\na = "{IRK}"', "no section irks"),
        (f'[irk]\na = "{IRK}', "not TOML"),
    ],
)
def test_mistakes_are_told_without_the_key(write, text, said):
    with pytest.raises(ValueError, match=r"tag-keys\.toml") as caught:
        load(write(text))
    assert said in str(caught.value)
    assert IRK[:12] not in str(caught.value) and KEY[:12] not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")
