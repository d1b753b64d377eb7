"""The hand-written protobuf of the simulated Yahoo, against yfinance's own and against real messages."""

import base64
import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from mds_engine.simulator.yahoo.pricing import PricingData, encode, zigzag


@pytest.fixture(scope="module")
def pricing_pb2() -> ModuleType:
    """yfinance's generated module, loaded as a single file: the whole package takes seconds to import."""
    package = importlib.util.find_spec("yfinance")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "pricing_pb2.py"
    spec = importlib.util.spec_from_file_location("simulator_test_pricing_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_real_messages_come_out_byte_for_byte(recordings: Path, pricing_pb2: ModuleType) -> None:
    lines = (recordings / "yahoo/stream_messages.jsonl").read_text().splitlines()
    for line in lines:
        real = base64.b64decode(json.loads(line)["message"])
        message = pricing_pb2.PricingData()
        message.ParseFromString(real)
        fields = {field.name: value for field, value in message.ListFields()}
        assert encode(PricingData(**fields)) == real
    assert len(lines) == 4


def test_every_field_has_its_number_and_type(pricing_pb2: ModuleType) -> None:
    chance = random.Random(7)
    message = pricing_pb2.PricingData()
    values = {}
    for field in message.DESCRIPTOR.fields:
        kinds = {
            field.TYPE_STRING: f"text-{field.number}",
            field.TYPE_FLOAT: chance.randrange(-1000, 1000) / 8,
            field.TYPE_DOUBLE: chance.uniform(-1e12, 1e12),
            field.TYPE_SINT64: chance.randrange(-(2**62), 2**62),
            field.TYPE_INT32: -chance.randrange(1, 2**31),
        }
        values[field.name] = kinds[field.type]
    message.ParseFromString(encode(PricingData(**values)))
    assert {field.name: value for field, value in message.ListFields()} == values


def test_a_field_at_its_default_is_not_sent() -> None:
    assert encode(PricingData(id="", price=0.0, time=0)) == b""


def test_zigzag_keeps_small_numbers_small() -> None:
    assert [zigzag(value) for value in (0, -1, 1, -2, 2)] == [0, 1, 2, 3, 4]


def test_the_encoder_is_its_own_reading_of_the_format() -> None:
    script = "import sys, mds_engine.simulator.yahoo.pricing; print('yfinance' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
