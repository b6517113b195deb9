"""Templates of prepared queries: what is refused and how, as servers of 1.8.7 answered."""

from __future__ import annotations

import pytest

from proconsul.features.errors import ConsulError, StateError
from proconsul.features.query.model import PreparedQuery, QueryDatacenterOptions, QueryTemplateOptions, ServiceQuery
from proconsul.features.query.template import check_size, check_template, rendered

NO_INT = 'strconv.ParseInt: parsing "{}": invalid syntax'
SYNTAX = "parse error: syntax error"
# Expressions in the service's name of a query "q", and what was said of them; nothing: taken.
ANSWERS = {
    "${name.full}": "", "a${name.prefix}b${name.suffix}": "", "${agent.segment}": "", "$${x}": "", "$": "", "}": "",
    "${name.full}}": "", "${ \" ${ name.full } \" }": "", '${"${"${1}"}"}': "", '${"}"}': "", '${"a$${b}"}': "",
    '${"1" "2"}': "", '${"a\\"b"}': "", '${"\\q"}': "", "${ name.full\n}": "", "${1 \n+ 1}": "", "${match (1)}": "",
    "${1+2}": "", "${(1+2)*3}": "", "${5%2}": "", "${- 1}": "", "${--1}": "", "${1 - -1}": "", "${1.}": "",
    '${1 + "2"}': "", '${"0x1" + 1}': "", '${"1" + 1.5}': "", '${"7.5" / 2.5}': "", "${7 % 2.0}": "", "${01}": "",
    "${match(1)}": "", '${match("1")}': "", "${match(-1)}": "", "${match(1.5)}": "", "${match(1+1)}": "",
    "${99999999999999999999.0}": "",
    "${": SYNTAX, "${}": SYNTAX, "${\n}": SYNTAX, "${name.full": SYNTAX, "${1 name}": SYNTAX, "${1.2.3}": SYNTAX,
    "${1..2}": SYNTAX, "${1a}": SYNTAX, "${1e3}": SYNTAX, "${0x1}": SYNTAX, "${1 == 1}": SYNTAX, "${!true}": SYNTAX,
    "${'a'}": SYNTAX, '${"a}': SYNTAX, '${"${"}': SYNTAX, '${"\\"}': SYNTAX, "${(1}": SYNTAX, "${1 +}": SYNTAX,
    "${match(1,)}": SYNTAX, "${match(1)[0]}": SYNTAX, '${a["b"]["c"]}': SYNTAX, "${9223372036854775808}": SYNTAX,
    "${nope}": "1:3: unknown variable accessed: nope", "${name}": "1:3: unknown variable accessed: name",
    "${-a}": "1:4: unknown variable accessed: a", "${.5}": "1:3: unknown variable accessed: .5",
    "${name.full-1}": "1:3: unknown variable accessed: name.full-1", "${é}": "1:3: unknown variable accessed: é",
    "${upper(1)}": "1:3: unknown function called: upper", "${match(nope, x)}": "1:9: unknown variable accessed: nope",
    "${match()}": "1:3: match: expected 1 arguments, got 0", "${match(1,2)}": "1:3: match: expected 1 arguments, got 2",
    "${match[0]}": "At column 3, line 1: unknown variable accessed: match",
    "${name.full[0]}": "At column 3, line 1: invalid index operation into non-indexable type: TypeString",
    "${1.5 % 2}": "At column 3, line 1: modulo cannot be used with floats",
    '${"7" % 2.0}': "At column 3, line 1: modulo cannot be used with floats",
    "${name.full + 1}": "__builtin_StringToInt: " + NO_INT.format("q"),
    "${-name.full}": "__builtin_StringToInt: " + NO_INT.format("q"),
    '${"1.5" + 1}': "__builtin_StringToInt: " + NO_INT.format("1.5"),
    '${"1${name.full}" + 1}': "__builtin_StringToInt: " + NO_INT.format("1q"),
    "${match(match(1))}": "__builtin_StringToInt: " + NO_INT.format(""),
    '${2 * (3 + "x")}': "__builtin_StringToInt: " + NO_INT.format("x"),
    '${"x" + 1.5}': '__builtin_StringToFloat: strconv.ParseFloat: parsing "x": invalid syntax',
}  # fmt: skip


def answer(service: ServiceQuery, regexp: str = "", kind: str = "name_prefix_match", name: str = "q") -> str:
    try:
        check_template(PreparedQuery(Name=name, Template=QueryTemplateOptions(kind, regexp), Service=service))
    except StateError as error:
        return error.text
    return ""


@pytest.mark.parametrize("text", ANSWERS)
def test_expressions_are_judged_as_the_original_does(text: str) -> None:
    said = ANSWERS[text]
    what = "Bad format" if said == SYNTAX else "Bad evaluation for"
    expected = f"failed compiling template: {what} '{text}' in Service.Service: {said}" if said else ""
    assert answer(ServiceQuery(Service=text)) == expected


@pytest.mark.parametrize(("service", "where"), [
    (ServiceQuery(Failover=QueryDatacenterOptions(0, ["a", "${x}"])), "Service.Failover.Datacenters[1]"),
    (ServiceQuery(IgnoreCheckIDs=["${x}"]), "Service.IgnoreCheckIDs[0]"),
    (ServiceQuery(Near="${x}"), "Service.Near"),
    (ServiceQuery(Tags=["a", "${x}"]), "Service.Tags[1]"),
    (ServiceQuery(NodeMeta={"k": "${x}"}), "Service.NodeMeta[k]"),
    (ServiceQuery(ServiceMeta={"${y}": "", "k": "${x}"}), "Service.ServiceMeta[k]"),
])  # fmt: skip
def test_every_string_of_the_service_is_a_template(service: ServiceQuery, where: str) -> None:
    unknown = "1:3: unknown variable accessed: x"
    assert answer(service) == f"failed compiling template: Bad evaluation for '${{x}}' in {where}: {unknown}"


def test_all_strings_are_read_before_the_first_is_evaluated() -> None:
    assert "Bad format '${' in Service.Tags[0]" in answer(ServiceQuery(Near="${nope}", Tags=["${"]))


def test_groups_of_the_expression_are_there_when_the_name_itself_matches() -> None:
    number = ServiceQuery(Service="${match(1) + 1}")
    assert answer(number, "^n-(.+)$", name="n-12") == ""
    assert NO_INT.format("") in answer(number, "^n-(.+)$", name="n-")


def test_the_kind_and_the_expression_are_checked_too() -> None:
    assert answer(ServiceQuery(), kind="bogus") == "failed compiling template: Bad Template.Type 'bogus'"
    assert answer(ServiceQuery(), "(") == (
        "failed compiling template: Bad Regexp: error parsing regexp: missing closing ): `(`"
    )
    assert answer(ServiceQuery(Service="${"), "(", kind="") == ""


@pytest.mark.parametrize("text", ["${" + "(" * 5000, "${" + "-" * 5000 + "1}", "${" + "1+" * 5000 + "1}", '${"' * 5000])
def test_hostile_templates_are_refused_quickly(text: str) -> None:
    assert answer(ServiceQuery(Service=text)).endswith(SYNTAX)


@pytest.mark.parametrize("text", ["${1/0}", "${1%0}", "${+1}"])
def test_what_stops_the_original_is_refused(text: str) -> None:
    assert answer(ServiceQuery(Service=text)).startswith("failed compiling template: Bad")


TOO_MUCH = [
    (r"\pL{1000}", "a", "t-"), ("((x{0,10}){0,10}){0,10}" * 12, "a", "t-"), ("", "${name.full}" * 20_000, "t-" * 100),
    ("", "${name.suffix}${name.full}" * 400, "t" * 5000),
]  # fmt: skip


@pytest.mark.parametrize(("regexp", "text", "name"), TOO_MUCH)
def test_what_would_take_too_long_is_refused_by_who_is_asked_to_write_it(regexp: str, text: str, name: str) -> None:
    query = PreparedQuery(
        Name=name, Template=QueryTemplateOptions("name_prefix_match", regexp), Service=ServiceQuery(Service=text)
    )
    with pytest.raises(ConsulError, match=r"failed compiling template: Bad (Regexp|evaluation)"):
        check_size(query)
    check_template(query)  # which a server of Consul may have taken: all servers have to keep the same
    with pytest.raises(ConsulError, match=r"too (large|long|much)"):
        rendered(query, name + "x" * 60_000, "")


@pytest.mark.parametrize(("regexp", "text"), [("(x{0,10}){0,10}y", ""), ("", "${name.full}" * 100)])
def test_long_names_take_no_longer(regexp: str, text: str) -> None:
    query = PreparedQuery(
        Name="t-", Template=QueryTemplateOptions("name_prefix_match", regexp), Service=ServiceQuery(Service=text or "a")
    )
    check_size(query)
    assert rendered(query, "t-" + "x" * 250, "").Service.Service == (
        text.replace("${name.full}", "t-" + "x" * 250) or "a"
    )
    with pytest.raises(ConsulError, match="characters"):
        rendered(query, "t-" + "x" * 100_000, "")
