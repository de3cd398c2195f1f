package countersign_test.rules.risk_test

import data.countersign.rules.risk.too_high
import data.countersign_test.fixtures

test_clear_without_a_factor if {
	too_high.verdict == {"effect": "clear", "factors": [], "allowed": 30} with input as fixtures.good
		with data.countersign.limits as fixtures.limits
}

test_clear_up_to_the_first_bound if {
	too_high.verdict == {"effect": "clear", "factors": [{"code": "network.vpn", "points": 20}], "allowed": 30} with input as _kinds(["vpn"])
		with data.countersign.limits as fixtures.limits
}

test_steps_up_above_it if {
	verdict := too_high.verdict with input as _kinds(["tor"]) with data.countersign.limits as fixtures.limits
	verdict.effect == "step_up"
	verdict.methods == ["mtls"]
}

test_steps_up_to_a_token_first if {
	verdict := too_high.verdict with input as object.union(_kinds(["tor"]), {"evidence": {"assurance": 0}})
		with data.countersign.limits as fixtures.limits
	verdict.effect == "step_up"
	verdict.kind == "authentication"
	verdict.methods == ["token"]
}

test_clear_above_it_with_a_certificate if {
	verdict := too_high.verdict with input as object.union(_kinds(["tor"]), {"evidence": {"assurance": 3}})
		with data.countersign.limits as fixtures.limits
	verdict.effect == "clear"
	verdict.allowed == 60
}

test_denies_above_the_second_bound_whatever_the_evidence if {
	verdict := too_high.verdict with input as object.union(_kinds(["tor", "vpn"]), {"evidence": {"assurance": 4}})
		with data.countersign.limits as fixtures.limits
	verdict.effect == "deny"
}

test_every_source_adds_its_factors if {
	verdict := too_high.verdict with input as json.patch(_kinds(["vpn"]), [
		{"op": "replace", "path": "/signals/network/value/country", "value": "XX"},
		{"op": "replace", "path": "/signals/rate/value/degraded", "value": true},
		{"op": "replace", "path": "/request/flags", "value": ["header_underscore", "host_invalid"]},
	])
		with data.countersign.limits as fixtures.limits
	verdict.factors == [
		{"code": "network.vpn", "points": 20},
		{"code": "network.country", "points": 15},
		{"code": "rate.unknown", "points": 10},
		{"code": "request.header_underscore", "points": 10},
	]
}

test_what_is_not_known_is_a_factor if {
	verdict := too_high.verdict with input as fixtures.with_signal("network", fixtures.missing("unavailable", "database_broken"))
		with data.countersign.limits as fixtures.limits
	verdict.factors == [{"code": "network.unknown", "points": 5}]
	other := too_high.verdict with input as fixtures.with_signal("rate", fixtures.missing("unavailable", "store_full"))
		with data.countersign.limits as fixtures.limits
	other.factors == [{"code": "rate.unknown", "points": 10}]
}

test_clear_without_a_route if too_high.verdict == "clear" with input as fixtures.unknown_route

test_no_verdict_on_an_unknown_tier if {
	not too_high.verdict with input as fixtures.with_route({"tier": "hgh"}) with data.countersign.limits as fixtures.limits
}

test_no_verdict_when_a_signal_is_broken if {
	not too_high.verdict with input as fixtures.with_signal("network", {"status": "presnt"}) with data.countersign.limits as fixtures.limits
	not too_high.verdict with input as fixtures.without("signals/rate") with data.countersign.limits as fixtures.limits
	not too_high.verdict with input as fixtures.without("signals/rate/value/degraded") with data.countersign.limits as fixtures.limits
	not too_high.verdict with input as _kinds("tor") with data.countersign.limits as fixtures.limits
	not too_high.verdict with input as fixtures.without("request/flags") with data.countersign.limits as fixtures.limits
}

test_no_verdict_when_the_bounds_are_text if {
	not too_high.verdict with input as _kinds(["tor"])
		with data.countersign.limits as object.union(
			fixtures.limits,
			{"tiers": {"medium": {"risk": {"allowed": "30", "allowed_bound": "60"}}}},
		)
}

_kinds(kinds) := object.union(fixtures.good, {"signals": {"network": {"value": {"kinds": kinds}}}})

# `not is.below(…)` took an assurance that is missing for one that is high enough
test_no_verdict_between_the_bounds_when_the_assurance_is_missing_or_text if {
	every broken in [object.remove(_kinds(["tor"]), ["evidence"]), object.union(_kinds(["tor"]), {"evidence": {"assurance": "4"}})] {
		not too_high.verdict with input as broken with data.countersign.limits as fixtures.limits
	}
}
