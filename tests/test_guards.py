"""Each guard of tests/guards.py with the fault it is there for."""

import logging
import socket

import pytest
from django.template import Context, engines
from django.template.base import Origin, Template

from tests import guards


def render(source: str, folder: str) -> str:
    engine = engines["django"].engine
    return Template(source, origin=Origin(f"{folder}/page.html"), engine=engine).render(Context({"known": 1}))


@pytest.mark.sqlite
def test_missing_variable_in_our_template_is_an_error():
    with pytest.raises(AssertionError, match="missing template variable unknown in .*page.html"):
        render("{{ unknown }}", f"{guards.ROOT}/templates")


@pytest.mark.sqlite
@pytest.mark.parametrize("source", ["{{ known }}", "{% if unknown %}0{% else %}1{% endif %}"])
def test_known_variable_and_a_question_are_no_error(source):
    assert render(source, f"{guards.ROOT}/templates") == "1"


@pytest.mark.sqlite
def test_missing_variable_in_another_packages_template_stays_empty():
    assert render("[{{ unknown }}{{ unknown|default:'x' }}]", "/elsewhere") == "[x]"


@pytest.mark.sqlite
@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_socket_to_another_machine_is_refused(call):
    with socket.socket() as outside, pytest.raises(guards.OutsideWorld):
        getattr(outside, call)(("192.0.2.1", 80))


@pytest.mark.sqlite
def test_error_record_fails_a_test(pytester_run):
    outcome = pytester_run("import logging\ndef test_it():\n    logging.getLogger('x').error('planted')\n")
    assert "logged at ERROR: ERROR x planted" in outcome and "1 failed" in outcome


@pytest.mark.sqlite
def test_skipped_test_fails_where_nothing_may_be_left_out(pytester_run):
    source = "import pytest\ndef test_it():\n    pytest.skip('no browser')\n"
    assert pytester_run(source, CI="true").endswith("exit 1")
    assert pytester_run(source, CI="").endswith("exit 0")


@pytest.mark.sqlite
@pytest.mark.logs_errors
def test_error_record_may_be_what_is_expected():
    logging.getLogger("x").error("planted")
