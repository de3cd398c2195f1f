package countersign_test.decision_test

import data.countersign.decision
import data.countersign.lib.is
import data.countersign_test.fixtures

test_a_rule_that_could_not_be_evaluated_is_null if {
	result := decision.result with input as fixtures.without("signals/token") with data.countersign.limits as fixtures.limits
	["identity", "token_required", null] in result.verdicts
}

test_clear_rules_are_left_out_and_clear_objects_are_not if {
	result := decision.result with input as fixtures.good with data.countersign.limits as fixtures.limits
	spoken := {concat(".", [verdict[0], verdict[1]]) | some verdict in result.verdicts}

	# and not which others speak: rules that were added to this folder may
	{"access.scope_granted", "identity.assurance_too_low", "risk.too_high"} - spoken == set()
	{"access.scope_missing", "identity.token_required", "network.country_blocked"} & spoken == set()
}

test_without_an_input_no_rule_is_clear if {
	result := decision.result with input as {} with data.countersign.limits as fixtures.limits
	{verdict[2] | some verdict in result.verdicts} == {null}

	# named limits ask for nothing while there is none
	{concat(".", code) | some code in _clear(result.verdicts)} == {"rate.limited", "rate.store_unavailable", "rate.uncounted"}
}

_clear(verdicts) := {[category, name] |
	some category, names in data.countersign.rules
	some name, _ in names
	not [category, name] in {[verdict[0], verdict[1]] | some verdict in verdicts}
}

test_comparisons_are_undefined_on_a_wrong_type if {
	not is.above("1", 2)
	not is.above(1, null)
	not is.below(true, 2)
	not is.at_most([], 2)
	not is.one_of(1, [1])
	not is.one_of("a", {"a"})
	not is.missing("a", ["a"])
	not is.all_in(["a"], {"a": 1})
}

test_comparisons if {
	is.above(2, 1)
	not is.above(1, 1)
	is.below(1, 2)
	is.at_most(2, 2)
	is.one_of("a", ["b", "a"])
	is.missing(["a", "b"], ["b"]) == ["a"]
	is.all_in(["a"], ["b", "a"])
	is.all_in([], ["a"]) == false
}
