package countersign_test.rules.network_test

import data.countersign.rules.network.address_blocked
import data.countersign.rules.network.country_blocked
import data.countersign_test.fixtures

test_country_blocked_denies if {
	country_blocked.verdict == "deny" with input as _network({"country": "KP"}) with data.countersign.limits as fixtures.limits
}

test_country_blocked_is_clear_for_others_and_for_unknown_ones if {
	country_blocked.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits
	country_blocked.verdict == "clear" with input as _network({"country": null}) with data.countersign.limits as fixtures.limits
}

test_country_blocked_is_clear_when_nothing_is_known if country_blocked.verdict == "clear" with input as _unavailable

test_country_blocked_has_no_verdict_when_the_country_is_a_number if {
	not country_blocked.verdict with input as _network({"country": 408}) with data.countersign.limits as fixtures.limits
}

test_country_blocked_has_no_verdict_when_the_list_is_no_list if {
	not country_blocked.verdict with input as fixtures.good with data.countersign.limits.network.countries_blocked as "KP"
}

test_address_blocked_denies if {
	address_blocked.verdict == "deny" with input as _on([_blocked])
}

test_address_blocked_denies_when_the_databases_fail if {
	address_blocked.verdict == "deny" with input as object.union(_unavailable, {"request": {"address_lists": [_blocked]}})
}

test_address_blocked_is_clear_on_no_list_and_on_another_list if {
	address_blocked.verdict == "clear" with input as fixtures.good
	address_blocked.verdict == "clear" with input as _on([{"name": "partners", "tags": [], "age_seconds": null}])
}

test_address_blocked_is_clear_when_nothing_is_known if address_blocked.verdict == "clear" with input as _unavailable

test_address_blocked_has_no_verdict_when_the_lists_are_broken if {
	not address_blocked.verdict with input as _on(null)
	not address_blocked.verdict with input as fixtures.without("request/address_lists")
}

_blocked := {"name": "addresses_blocked", "tags": [], "age_seconds": null}

_on(lists) := object.union(fixtures.good, {"request": {"address_lists": lists}})

_network(changes) := object.union(fixtures.good, {"signals": {"network": {"value": changes}}})

_unavailable := fixtures.with_signal("network", fixtures.missing("unavailable", "database_broken"))
