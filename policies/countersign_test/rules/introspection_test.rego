package countersign_test.introspection_test

import data.countersign.rules.identity.introspection_required
import data.countersign_test.fixtures

_limits := json.patch(fixtures.limits, [{"op": "add", "path": ["tiers", tier, "introspected"], "value": true} | some tier in ["low", "medium"]])

_with_token(value) := fixtures.with_signal("token", fixtures.present(value))

_deny := {"effect": "deny", "status": 503, "retry_after_seconds": 5}

test_a_token_that_was_not_asked_about_is_collected if {
	verdict := introspection_required.verdict with input as _with_token({"introspected_at": null})
		with data.countersign.limits as _limits
	verdict == {"effect": "deny", "status": 503, "collect": ["introspection"]}
}

test_one_that_was_asked_about_is_clear if {
	verdict := introspection_required.verdict with input as _with_token({"introspected_at": 1780308000})
		with data.countersign.limits as _limits
	verdict == "clear"
}

test_what_is_refused_or_missing_is_for_others if {
	introspection_required.verdict == "clear" with input as fixtures.without_token with data.countersign.limits as _limits
	introspection_required.verdict == "clear" with data.countersign.limits as _limits
		with input as fixtures.with_signal("token", fixtures.missing("invalid", "token_inactive"))
}

test_a_server_that_fails_denies if {
	verdict := introspection_required.verdict with input as fixtures.with_signal("token", fixtures.missing("unavailable", "introspection_unavailable"))
		with data.countersign.limits as _limits
	verdict == _deny
}

test_other_tiers_and_other_routes_ask_for_nothing if {
	introspection_required.verdict == "clear" with input as _with_token({"introspected_at": null})
		with data.countersign.limits as fixtures.limits
	introspection_required.verdict == "clear" with data.countersign.limits as fixtures.limits
		with input as fixtures.with_signal("token", fixtures.missing("unavailable", "keys_unavailable"))
	introspection_required.verdict == "clear" with input as fixtures.public_route with data.countersign.limits as _limits
	introspection_required.verdict == "clear" with input as fixtures.unknown_route with data.countersign.limits as _limits
	introspection_required.verdict == "clear" with input as fixtures.no_route with data.countersign.limits as _limits
}

test_without_the_field_there_is_no_verdict if {
	not introspection_required.verdict with input as _with_token({}) with data.countersign.limits as _limits
	not introspection_required.verdict with input as _with_token({}) with data.countersign.limits as fixtures.limits
	not introspection_required.verdict with input as _with_token({"introspected_at": "now"}) with data.countersign.limits as _limits
}

test_without_a_signal_there_is_no_verdict if {
	not introspection_required.verdict with input as fixtures.without("signals/token") with data.countersign.limits as _limits
}
