package countersign_test.rules.rate_test

import data.countersign.rules.rate.exceeded
import data.countersign.rules.rate.limited
import data.countersign.rules.rate.store_unavailable
import data.countersign.rules.rate.uncounted
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

test_waits_as_long_as_the_service_found if {
	verdict := exceeded.verdict with input as _rate({"client": {"10s": 200}, "resets": {"client-10s": 9}})
		with data.countersign.limits as fixtures.limits
	verdict.limits[0].reset_seconds == 9
}

test_limits_api_keys if {
	verdict := exceeded.verdict with input as _rate({"api_key": {"10s": 9, "1m": 9, "10m": 9, "1h": 9}})
		with data.countersign.limits as object.union(fixtures.limits, {"rate": {"api_key": {"1h": 8}}})
	verdict.limits[0].name == "api_key-1h"
}

test_tells_what_is_left_where_it_is_wanted if {
	exceeded.verdict == {"effect": "clear", "limits": [{
		"name": "address-10s", "limit": 200, "window_seconds": 10,
		"remaining": 199, "reset_seconds": null,
	}]} with input as _rate({}) with data.countersign.limits as object.union(
		json.patch(fixtures.limits, [{"op": "replace", "path": ["rate"], "value": {"address": {"10s": 200}}}]),
		{"rate_fields": "always"},
	)
}

test_no_verdict_when_resets_are_broken if {
	not exceeded.verdict with input as _rate({"resets": "none"}) with data.countersign.limits as fixtures.limits
}

test_limits_without_the_newer_sections_are_limits_all_the_same if {
	older := json.remove(fixtures.limits, ["rate_limits", "counters", "rate_fields"])
	exceeded.verdict == "clear" with input as fixtures.good with data.countersign.limits as older
	limited.verdict == "clear" with input as fixtures.good with data.countersign.limits as older
	store_unavailable.verdict == "clear" with input as fixtures.good with data.countersign.limits as older
}

test_limited_denies_by_a_counter if {
	verdict := limited.verdict with input as _rate({"counters": {"spend": _sums(101)}, "resets": {"budget": 77}})
		with data.countersign.limits as _named({})
	verdict.limits == [{"name": "budget", "limit": 100, "window_seconds": 86400, "remaining": 0, "reset_seconds": 77}]
	verdict.status == 429
	verdict.shadow_limits == []
}

test_limited_is_clear_at_the_limit_and_without_a_key if {
	limited.verdict == "clear" with input as _rate({"counters": {"spend": _sums(100)}}) with data.countersign.limits as _named({})
	limited.verdict == "clear" with input as _rate({"counters": {"spend": null}}) with data.countersign.limits as _named({})
	limited.verdict == "clear" with input as _rate({}) with data.countersign.limits as _named({})
}

test_limited_tells_a_shadow_and_denies_nothing_for_it if {
	limited.verdict == {"effect": "clear", "limits": [], "shadow_limits": ["budget"]} with input as _rate({"counters": {"spend": _sums(101)}})
		with data.countersign.limits as _named({"shadow": true})
}

test_limited_takes_the_rate_of_the_gateway if {
	named := object.union(fixtures.limits, {"rate_limits": {"gateway": {"of": "pep", "window": "1m", "limit": 60}}})
	limited.verdict == "clear" with input as _rate({"pep": {"count": 10, "window_seconds": 10}}) with data.countersign.limits as named
	limited.verdict == "clear" with input as _rate({}) with data.countersign.limits as named
	limited.verdict.status == 429 with input as _rate({"pep": {"count": 11, "window_seconds": 10}}) with data.countersign.limits as named
}

test_limited_has_no_verdict_when_a_sum_is_broken if {
	not limited.verdict with input as _rate({"counters": {"spend": "many"}}) with data.countersign.limits as _named({})
	not limited.verdict with input as _rate({"counters": {"spend": {"1d": 5}}}) with data.countersign.limits as _named({})
	not limited.verdict with input as _rate({"pep": {"count": "5"}}) with data.countersign.limits as _named({})
	not limited.verdict with input as fixtures.without("signals/rate/value/counters") with data.countersign.limits as _named({})
}

test_limited_is_clear_when_the_rate_is_not_known if {
	limited.verdict == "clear" with input as _away with data.countersign.limits as _named({})
}

test_store_unavailable_closes_what_says_so if {
	store_unavailable.verdict == {
		"effect": "deny", "status": 503, "retry_after_seconds": 5, "store_limits": ["budget"],
	} with input as _away
		with data.countersign.limits as _named({"on_store_error": "deny"})
	store_unavailable.verdict.status == 503 with input as _rate({"failed": ["spend"]})
		with data.countersign.limits as _named({"on_store_error": "deny"})
}

test_store_unavailable_leaves_the_rest_open if {
	store_unavailable.verdict == "clear" with input as _away with data.countersign.limits as _named({})
	store_unavailable.verdict == "clear" with input as _away
		with data.countersign.limits as _named({"on_store_error": "deny", "shadow": true})
	store_unavailable.verdict == "clear" with input as _away with data.countersign.limits as _named({"on_store_error": "deny", "of": "pep"})
	store_unavailable.verdict == "clear" with input as _rate({"failed": ["address"]})
		with data.countersign.limits as _named({"on_store_error": "deny"})
	store_unavailable.verdict == "clear" with input as _away with data.countersign.limits as object.union(
		_named({"on_store_error": "deny"}),
		{"counters": {"spend": {"key": ["client"], "routes": ["login"]}}},
	)
	store_unavailable.verdict == "clear" with input as object.union(_away, {"evidence": {"agreement": {"client": "none"}}})
		with data.countersign.limits as _named({"on_store_error": "deny", "of": "client"})
}

test_store_unavailable_closes_for_a_client_that_is_there if {
	store_unavailable.verdict.status == 503 with input as _away
		with data.countersign.limits as _named({"on_store_error": "deny", "of": "client"})
}

test_store_unavailable_has_no_verdict_when_the_failures_are_not_known if {
	not store_unavailable.verdict with input as fixtures.without("signals/rate/value/failed")
		with data.countersign.limits as _named({"on_store_error": "deny"})
	not store_unavailable.verdict with input as fixtures.without("signals/rate/status")
		with data.countersign.limits as _named({"on_store_error": "deny"})
}

_refused := {"effect": "deny", "status": 400, "missing_limits": ["budget"]}

_flagged(flag) := _rate({"flags": [flag]})

test_uncounted_holds_what_has_no_key_or_no_amount if {
	every flag in ["spend.key_missing", "spend.amount_invalid"] {
		uncounted.verdict == _refused with input as _flagged(flag) with data.countersign.limits as _named({"on_missing": "deny"})
		uncounted.verdict == "clear" with input as _flagged(flag) with data.countersign.limits as _named({"on_missing": "ignore"})
		uncounted.verdict == "clear" with input as _flagged(flag) with data.countersign.limits as _named({})
		uncounted.verdict == "clear" with input as _flagged(flag) with data.countersign.limits as _named({"on_missing": "deny", "shadow": true})
		uncounted.verdict == "clear" with input as _flagged(flag) with data.countersign.limits as fixtures.limits
	}
	every flag in ["spend.key_long", "other.key_missing", "clock_back"] {
		uncounted.verdict == "clear" with input as _flagged(flag) with data.countersign.limits as _named({"on_missing": "deny"})
	}
}

test_uncounted_by_the_word_of_the_counter_and_of_the_limit_before_it if {
	of_counter := object.union(_named({}), {"counters": {"spend": {"on_missing": "deny"}}})
	uncounted.verdict == _refused with input as _flagged("spend.key_missing") with data.countersign.limits as of_counter
	own := object.union(of_counter, {"rate_limits": {"budget": {"on_missing": "ignore"}}})
	uncounted.verdict == "clear" with input as _flagged("spend.key_missing") with data.countersign.limits as own
}

test_uncounted_holds_what_has_no_entity if {
	of_key := _named({"of": "api_key", "window": "1h", "on_missing": "deny"})
	uncounted.verdict == _refused with input as fixtures.good with data.countersign.limits as of_key
	uncounted.verdict == "clear" with input as _rate({"api_key": fixtures.windows}) with data.countersign.limits as of_key

	# that the store could not count it is the affair of on_store_error
	uncounted.verdict == "clear" with input as _rate({"failed": ["api_key"]}) with data.countersign.limits as of_key
	uncounted.verdict == "clear" with input as fixtures.good with data.countersign.limits as _named({"of": "pep", "on_missing": "deny"})
	uncounted.verdict == "clear" with input as _away with data.countersign.limits as of_key
}

test_uncounted_has_no_verdict_when_what_is_missing_is_not_known if {
	strict := _named({"on_missing": "deny"})
	every path in ["signals/rate/value/flags", "signals/rate/value/failed", "signals/rate/value/client"] {
		unknown := json.remove(_flagged("spend.key_missing"), [path])
		not _speaks(unknown, strict)
	}
}

_speaks(request, limits) if uncounted.verdict with input as request with data.countersign.limits as limits

_away := fixtures.with_signal("rate", fixtures.missing("unavailable", "store_unavailable"))

_sums(day) := {"10s": 0, "1m": 0, "10m": 0, "1h": 0, "1d": day}

_named(changes) := object.union(fixtures.limits, {
	"rate_limits": {"budget": object.union({"of": "spend", "window": "1d", "limit": 100}, changes)},
	"counters": {"spend": {"key": ["client"]}},
})

_rate(changes) := object.union(fixtures.good, {"signals": {"rate": {"value": changes}}})

_client(count_now) := _rate({"client": {"10s": count_now}})
