package countersign_test.rules.signals_test

import data.countersign.rules.signals.required
import data.countersign_test.fixtures

test_clear_when_all_are_there if required.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits

test_unavailable_is_503_with_a_time if {
	required.verdict == {
		"effect": "deny",
		"status": 503,
		"retry_after_seconds": 5,
		"signals": ["token"],
	} with input as fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))
		with data.countersign.limits as fixtures.limits
}

test_degraded_counts_do_not_meet_a_requirement if {
	verdict := required.verdict with input as json.patch(_critical, [{
		"op": "replace",
		"path": "/signals/rate/value/degraded", "value": true,
	}])
		with data.countersign.limits as fixtures.limits
	verdict.status == 503
	verdict.signals == ["rate"]
}

test_an_invalid_credential_is_401 if {
	verdict := required.verdict with input as fixtures.with_signal("token", fixtures.missing("invalid", "token_expired"))
		with data.countersign.limits as fixtures.limits
	verdict.status == 401
}

test_an_invalid_address_is_403 if {
	verdict := required.verdict with input as _with(_critical, "network", fixtures.missing("invalid", "address_invalid"))
		with data.countersign.limits as fixtures.limits
	verdict.status == 403
	verdict.signals == ["network"]
}

test_an_absent_certificate_is_a_step_up_to_mtls if {
	verdict := required.verdict with input as _with(_critical, "certificate", fixtures.missing("absent", "certificate_missing"))
		with data.countersign.limits as fixtures.limits
	verdict == {"effect": "step_up", "kind": "binding", "methods": ["mtls"], "signals": ["certificate"]}
}

test_an_absent_token_is_a_step_up_to_a_token if {
	verdict := required.verdict with input as fixtures.without_token with data.countersign.limits as fixtures.limits
	verdict == {"effect": "step_up", "kind": "authentication", "methods": ["token"], "signals": ["token"]}
}

test_what_no_method_supplies_is_denied if {
	verdict := required.verdict with input as _with(_critical, "network", fixtures.missing("absent", "address_missing"))
		with data.countersign.limits as fixtures.limits
	verdict == {"effect": "deny", "status": 403, "signals": ["network"]}
}

test_unavailable_comes_before_invalid if {
	verdict := required.verdict with input as _with(
		_with(_critical, "rate", fixtures.missing("unavailable", "store_full")),
		"token", fixtures.missing("invalid", "token_expired"),
	)
		with data.countersign.limits as fixtures.limits
	verdict.status == 503
}

test_a_signal_that_the_tier_does_not_require_may_be_missing if {
	required.verdict == "clear" with input as _with(fixtures.good, "rate", fixtures.missing("unavailable", "store_full"))
		with data.countersign.limits as fixtures.limits
}

test_a_public_route_requires_no_credential if {
	required.verdict == "clear" with input as json.patch(fixtures.without_token, [
		{"op": "replace", "path": "/route/public", "value": true},
		{"op": "replace", "path": "/route/tier", "value": "high"},
	])
		with data.countersign.limits as fixtures.limits
}

test_clear_without_a_route if required.verdict == "clear" with input as fixtures.unknown_route with data.countersign.limits as fixtures.limits

test_no_verdict_when_a_signal_is_not_there if {
	not required.verdict with input as fixtures.without("signals/token") with data.countersign.limits as fixtures.limits
}

test_no_verdict_on_another_word if {
	not required.verdict with input as fixtures.with_signal("token", {"status": "presnt"}) with data.countersign.limits as fixtures.limits
}

test_no_verdict_on_an_unknown_tier if {
	not required.verdict with input as fixtures.with_route({"tier": "hgh"}) with data.countersign.limits as fixtures.limits
}

_critical := json.patch(fixtures.good, [
	{"op": "replace", "path": "/route/tier", "value": "critical"},
	{"op": "replace", "path": "/signals/certificate", "value": fixtures.present({"not_after": 2000})},
])

_with(request, name, signal) := json.patch(request, [{"op": "replace", "path": ["signals", name], "value": signal}])
