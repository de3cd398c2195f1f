package countersign_test.rules.list_hit_test

import data.countersign.rules.network.list_hit
import data.countersign_test.fixtures

test_a_tag_that_denies_denies_and_names_the_lists if {
	list_hit.verdict == {"effect": "deny", "lists": ["drop", "feed"]} with input as _on([_hit("feed", ["x", "malicious"]), _hit("drop", ["malicious"])])
		with data.countersign.limits as fixtures.limits
}

test_deny_goes_before_step_up if {
	list_hit.verdict.effect == "deny" with input as _on([_hit("tor", ["tor_exit"]), _hit("drop", ["malicious"])])
		with data.countersign.limits as fixtures.limits
}

test_step_up_asks_for_the_next_step if {
	list_hit.verdict == {"effect": "step_up", "kind": "binding", "methods": ["mtls"], "lists": ["tor"]} with input as _on([_hit("tor", ["tor_exit"])])
		with data.countersign.limits as fixtures.limits
	list_hit.verdict == {"effect": "step_up", "kind": "authentication", "methods": ["token"], "lists": ["tor"]} with input as object.union(
		_on([_hit("tor", ["tor_exit"])]),
		{"evidence": {"assurance": 0}},
	)
		with data.countersign.limits as fixtures.limits
		with data.countersign.limits.assurance_steps as object.union(
			fixtures.limits.assurance_steps,
			{"2": {"kind": "authentication", "methods": ["token"]}},
		)
}

test_step_up_is_met_by_assurance_3 if {
	list_hit.verdict == "clear" with input as object.union(_on([_hit("tor", ["tor_exit"])]), {"evidence": {"assurance": 3}})
		with data.countersign.limits as fixtures.limits
}

test_other_tags_and_no_tags_are_clear if {
	list_hit.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits
	list_hit.verdict == "clear" with input as _on([_hit("partners", ["partner"]), _hit("cloud", ["cloud:aws"]), _hit("addresses_blocked", [])])
		with data.countersign.limits as fixtures.limits
}

test_a_stale_hit_counts if {
	list_hit.verdict.effect == "deny" with input as _on([object.union(_hit("drop", ["malicious"]), {"stale": true})])
		with data.countersign.limits as fixtures.limits
}

test_hits_count_when_the_databases_fail if {
	unavailable := fixtures.with_signal("network", fixtures.missing("unavailable", "database_broken"))
	list_hit.verdict.effect == "deny" with input as object.union(unavailable, {"request": {"address_lists": [_hit("drop", ["malicious"])]}})
		with data.countersign.limits as fixtures.limits
}

test_an_unavailable_list_denies_where_its_tag_says_so if {
	list_hit.verdict == {"effect": "deny", "status": 503, "retry_after_seconds": 5, "lists": ["drop"]} with input as _without(_gap("drop", ["malicious"]))
		with data.countersign.limits as fixtures.limits
	list_hit.verdict == "clear" with input as _without(_gap("tor", ["tor_exit"])) with data.countersign.limits as fixtures.limits
	list_hit.verdict == "clear" with input as _without(_gap("x", [])) with data.countersign.limits as fixtures.limits
}

test_no_verdict_on_what_is_broken if {
	not list_hit.verdict with input as _on(null) with data.countersign.limits as fixtures.limits
	not list_hit.verdict with input as _on([{"name": "drop"}]) with data.countersign.limits as fixtures.limits
	not list_hit.verdict with input as _on([{"name": 7, "tags": []}]) with data.countersign.limits as fixtures.limits
	not list_hit.verdict with input as _without({"name": "drop"}) with data.countersign.limits as fixtures.limits
	not list_hit.verdict with input as fixtures.without("request/address_lists") with data.countersign.limits as fixtures.limits
	not list_hit.verdict with input as fixtures.good with data.countersign.limits.network.list_tags as []
	not list_hit.verdict with input as fixtures.good with data.countersign.limits.network as {}
}

test_no_verdict_without_an_assurance_where_it_matters if {
	not list_hit.verdict with input as object.union(_on([_hit("tor", ["tor_exit"])]), {"evidence": {"assurance": "3"}})
		with data.countersign.limits as fixtures.limits
}

_hit(name, tags) := {"name": name, "tags": tags, "age_seconds": 60, "stale": false}

_gap(name, tags) := {"name": name, "tags": tags, "code": "never_loaded"}

_on(lists) := object.union(fixtures.good, {"request": {"address_lists": lists}})

_without(gap) := object.union(fixtures.good, {"request": {"address_lists_unavailable": [gap]}})
