package countersign_test.rules.rate_test

import data.countersign.rules.rate.exceeded
import data.countersign_test.fixtures

test_clear_at_the_limit if exceeded.verdict == "clear" with input as _client(100) with data.countersign.limits as fixtures.limits

test_denies_above_it_and_says_when_there_is_room if {
	exceeded.verdict == {"effect": "deny", "status": 429, "limits": [{
		"name": "client-10s", "limit": 100, "window_seconds": 10,
		"remaining": 0, "reset_seconds": 5,
	}]} with input as _client(200)
		with data.countersign.limits as fixtures.limits
}

test_names_every_exceeded_limit if {
	verdict := exceeded.verdict with input as object.union(_client(101), {"signals": {"rate": {"value": {"address": {"10s": 201}}}}})
		with data.countersign.limits as fixtures.limits
	{limit.name | some limit in verdict.limits} == {"client-10s", "address-10s"}
}

test_waits_a_second_at_least if {
	verdict := exceeded.verdict with input as _client(101) with data.countersign.limits as fixtures.limits
	verdict.limits[0].reset_seconds == 1
}

test_an_entity_that_is_not_known_has_no_limit if {
	exceeded.verdict == "clear" with input as _rate({"client": null, "token": null}) with data.countersign.limits as fixtures.limits
}

test_clear_when_the_rate_is_not_known if {
	exceeded.verdict == "clear" with input as fixtures.with_signal("rate", fixtures.missing("unavailable", "store_unavailable"))
}

test_no_verdict_when_a_count_is_broken if {
	not exceeded.verdict with input as _client("101") with data.countersign.limits as fixtures.limits
	not exceeded.verdict with input as fixtures.without("signals/rate/value/client") with data.countersign.limits as fixtures.limits
	not exceeded.verdict with input as fixtures.without("signals/rate/value/address/1h") with data.countersign.limits as fixtures.limits
}

test_no_verdict_when_a_limit_is_text if {
	not exceeded.verdict with input as _client(1) with data.countersign.limits.rate as {"client": {"10s": "100"}}
}

test_no_verdict_without_limits if not exceeded.verdict with input as _client(101) with data.countersign.limits as {"rate": "none"}

_rate(changes) := object.union(fixtures.good, {"signals": {"rate": {"value": changes}}})

_client(count_now) := _rate({"client": {"10s": count_now}})
