"""Saved whole, with its permissions, never over another's change; and the last versions kept."""

import os
import stat

import pytest
from mds_engine.config.file import ConfigFile, Written, digest_of
from mds_engine.config.saving import ChangedOnDiskError, save
from mds_engine.config.versions import MOST_KEPT, Versions
from mds_engine.errors import ConfigError
from mds_engine.sources.plugins import find_plugins

TEXT = '[sources.yahoo]\nkind = "yahoo"\n'


def written(text: str) -> Written:
    return Written(text, digest_of(text))


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    path.chmod(0o640)
    return path


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_file_is_replaced_with_its_own_permissions_and_nothing_is_left_beside_it(file):
    saved = save(file, TEXT + "# new\n", read=written(TEXT))
    assert file.read_text() == TEXT + "# new\n"
    assert saved == written(TEXT + "# new\n")
    assert mode_of(file) == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_a_file_that_is_gone_is_written_for_its_owner_alone(file):
    file.unlink()
    save(file, TEXT, read=written(TEXT))
    assert mode_of(file) == 0o600


def test_what_was_written_meanwhile_is_not_lost(file):
    file.write_text(TEXT + "# theirs\n")
    with pytest.raises(ChangedOnDiskError) as caught:
        save(file, TEXT + "# mine\n", read=written(TEXT))
    assert caught.value.now.text == TEXT + "# theirs\n"
    assert file.read_text() == TEXT + "# theirs\n"


def test_a_link_stays_a_link(file, tmp_path):
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    save(link, TEXT + "# new\n", read=written(TEXT))
    assert link.is_symlink()
    assert file.read_text() == TEXT + "# new\n"


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        save(tmp_path / "none" / "config.toml", TEXT, read=written(TEXT))


def test_the_last_ten_versions_are_kept_for_their_owner_alone(file, tmp_path):
    versions = Versions(tmp_path / "state", file)
    assert versions.all() == ()
    for number in range(15):
        versions.keep(f"{TEXT}# {number}\n", by="asha p.", at=1_750_000_000.0 + number)
    kept = versions.all()
    assert [version.text().rpartition("# ")[2].strip() for version in kept] == [
        str(n) for n in range(14, 14 - MOST_KEPT, -1)
    ]
    assert (kept[0].by, kept[0].at) == ("asha_p.", 1_750_000_014.0)
    assert {mode_of(version.path) for version in kept} == {0o600}
    assert mode_of(versions.folder) == 0o700


def test_the_same_text_twice_is_one_version_and_each_file_has_its_own(file, tmp_path):
    versions = Versions(tmp_path / "state", file)
    versions.keep(TEXT, by="a", at=1.0)
    versions.keep(TEXT, by="b", at=2.0)
    assert len(versions.all()) == 1
    other = tmp_path / "other" / "config.toml"
    assert Versions(tmp_path / "state", other).all() == ()


def test_a_file_says_what_it_would_mean_and_what_is_in_force(file):
    config = ConfigFile(file, find_plugins(), {})
    loaded = config.load()
    assert (tuple(loaded.config.sources), config.in_force.written) == (("yahoo",), written(TEXT))
    file.write_text(TEXT.replace("yahoo", "binance"))
    assert tuple(config.parse(config.read().text).config.sources) == ("binance",)
    assert config.in_force.written == written(TEXT), "reading is not taking"
