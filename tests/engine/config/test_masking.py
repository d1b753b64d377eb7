"""A text without its secrets, and back."""

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.config.masking import is_masked, mask, secret_names, unmask
from mds_engine.sources.plugins import find_plugins

NAMES = secret_names(find_plugins())


def test_the_vendors_say_what_is_secret():
    assert {"api_key", "api_secret", "access_token"} <= NAMES


def test_values_are_hidden_also_in_comments_inline_tables_and_over_lines():
    text = '''
api_key = "first-secret" # mine
# api_secret = 'second-secret'
a = { "access_token" = "third-secret", kind = "kite" }
my_password = """
fourth-secret"""
'''
    masked = mask(text, NAMES)
    for secret in ("first", "second", "third", "fourth"):
        assert f"{secret}-secret" not in masked.text
    assert 'kind = "kite"' in masked.text
    assert unmask(masked.text, masked.hidden) == text


def test_references_and_what_is_empty_are_shown_but_no_default():
    text = 'api_key = "${KITE_API_KEY}"\naccess_token = "${TOKEN:-}"\napi_secret = ""\n'
    assert mask(text, NAMES).text == text
    assert "hunter2" not in mask('api_key = "${KITE_API_KEY:-hunter2}"', NAMES).text


def test_a_mask_that_was_written_over_is_the_new_value():
    masked = mask('api_key = "old-one"\n', NAMES)
    assert is_masked(masked.text.split('"')[1])
    assert unmask('api_key = "new-one"\n', masked.hidden) == 'api_key = "new-one"\n'


def test_a_change_of_a_secret_is_seen_beside_the_old_text():
    before = mask('api_key = "old-one"\naccess_token = "same"\n', NAMES)
    after = mask('api_key = "new-one"\naccess_token = "same"\n', NAMES, known=before.hidden)
    assert before.text.splitlines()[1] == after.text.splitlines()[1]
    assert before.text.splitlines()[0] != after.text.splitlines()[0]


@given(st.text(st.sampled_from("ab\"'\\#=\n ,{}${:-}api_key"), max_size=60))
def test_whatever_the_text_the_way_back_is_exact(text):
    masked = mask(text, NAMES)
    assert unmask(masked.text, masked.hidden) == text


SECRET = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=6, max_size=20)


@given(secret=SECRET, quote=st.sampled_from(["'", '"', '"""', "'''"]), name=st.sampled_from(sorted(NAMES)))
def test_no_secret_is_left(secret, quote, name):
    assert (
        secret
        not in mask(f"[sources.a]\n{name}={quote}{secret}{quote}\n", {"access_token", *NAMES}).text[12:]
    )
