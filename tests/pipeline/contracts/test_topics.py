"""Names that could leave their level of a topic are refused wherever a topic is made or read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import topics
from pipeline.contracts.errors import ContractError, TopicError
from pipeline.contracts.topics import GatewayTopic

GOOD = ["a", "0", "icu-1", "g_1", "a" * 63, "3d6f0a52-6c1e-5f0b-9d5e-0a4f4b1c7e21"]
BAD = ["", " ", "A", "Icu", "a/b", "/", "+", "#", "a+", "a#", "$sys", "-a", "_a", "a b", "a.b"]
BAD += ["a" * 64, "é", "ａ", "а", "²", "a\n", "\na", "a\0", "a\u200b", "..", "%u"]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_in_every_place(name):
    assert topics.check_name(name) == name
    assert topics.parse_gateway(topics.gateway(name, name, name, name)) == GatewayTopic(*[name] * 4)
    assert topics.gateway_user(name, name, name) == f"{name}/{name}/gateways/{name}"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_in_no_place(name):
    makers = [
        (topics.facility, 2),
        (topics.gateway, 4),
        (topics.gateway_user, 3),
        (topics.alert, 4),
        (topics.alert_state, 3),
    ]
    for make, names in makers:
        for place in range(names):
            values = ["a"] * names
            values[place] = name
            if make is topics.alert and place == 2 and name in ("A", "Icu"):
                continue  # severities are written in upper case elsewhere
            with pytest.raises(TopicError):
                make(*values)


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", [2, 3, 5])
def test_a_bad_name_in_a_topic_that_came(name, place):
    levels = ["biotrakr", "v1", "acme", "north", "gateways", "g1", "reads"]
    levels[place] = name
    with pytest.raises(TopicError):
        topics.parse_gateway("/".join(levels))


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "biotrakr/v1",
        "biotrakr/v2/acme/north/gateways/g1/reads",
        "biotrakr/v1/acme/north/gateways/g1",
        "biotrakr/v1/acme/north/gateways/g1/reads/more",
        "biotrakr/v1/acme/north/gateway/g1/reads",
        "/biotrakr/v1/acme/north/gateways/g1/reads",
        "biotrakr/v1/acme/north/alerts/critical/idle",
        "$share/x/biotrakr/v1/acme/north/gateways/g1/reads",
    ],
)
def test_other_topics_are_no_gateways(topic):
    with pytest.raises(TopicError) as caught:
        topics.parse_gateway(topic)
    assert caught.value.topic == topic
    assert isinstance(caught.value, ContractError)


def test_topics_as_they_are():
    assert topics.gateway("acme", "north", "g1", "reads") == (
        "biotrakr/v1/acme/north/gateways/g1/reads"
    )
    assert topics.alert("acme", "north", "CRITICAL", "forbidden-zone") == (
        "biotrakr/v1/acme/north/alerts/critical/forbidden-zone"
    )
    assert topics.alert_state("acme", "north", "3d6f") == "biotrakr/v1/acme/north/alerts/state/3d6f"


@given(st.text(alphabet=st.characters() | st.sampled_from("/+#ab-_0\n"), max_size=80))
def test_whatever_the_topic_it_is_ours_or_refused(text):
    for topic in (text, f"biotrakr/v1/{text}", f"biotrakr/v1/acme/north/gateways/{text}/reads"):
        try:
            parsed = topics.parse_gateway(topic)
        except TopicError:
            continue
        assert (
            topics.gateway(parsed[0], parsed[1], parsed[2], "x").rpartition("/")[0]
            == (topic.rpartition("/")[0])
        )
